import ArgumentParser
import Curl
import JSON

/// `rollcall keys`
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "The API keys of the fleet; the gateway wants its admin key or the scope admin.",
        subcommands: [List.self, Create.self, Revoke.self])

    struct List: GatewayCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the keys, which are not shown themselves.", aliases: ["ls"])
        @OptionGroup var options: GlobalOptions

        func run(in session: Session) async throws {
            let response = try await session.client.get("/v0/keys")
            try session.show(response, KeyText.list)
            KeyText.warn(of: response, on: session.console)
        }
    }

    struct Create: GatewayCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a key and print it, this once.",
            discussion:
                "The key goes to standard output and everything else to standard error: KEY=$(rollcall keys create …)")
        @OptionGroup var options: GlobalOptions
        @OptionGroup var write: WriteOptions
        @Argument(help: "For people; it need not be unique.") var name: String
        @Option(help: "models, inference, endpoints:read, or admin; may be given more than once.") var scope: [String]
        @Option(help: ArgumentHelp("Only models like this, such as 'qwen/*'; more than once.", valueName: "pattern"))
        var model: [String] = []
        @Option(help: ArgumentHelp("Such as 2027-01-31T12:00:00Z; otherwise never.", valueName: "time"))
        var expiresAt: String?

        func run(in session: Session) async throws {
            var body: JSONObject = [
                "name": .string(name), "scopes": .array(scope.map(JSONValue.string)),
            ]
            body["models"] = model.isEmpty ? nil : .array(model.map(JSONValue.string))
            body["expires_at"] = expiresAt.map(JSONValue.string)
            let response = try await session.client.write("POST", "/v0/keys", body: .object(body), key: write.key)
            let id = HumanText.clean(JSONValue(response.body)?["id"].string ?? "?")
            do {
                try session.show(response) { answer in
                    guard let key = answer["key"].text else {
                        throw CommandFailure(.failure, "the gateway's answer has no key; is --url right?")
                    }
                    return HumanText.clean(key) + "\n"
                }
            } catch let failure as CommandFailure where failure.code == CommandFailure.outputCode {
                var failure = failure
                failure.hint = "The key was made, but nobody has it now. Revoke it: rollcall keys revoke \(id)"
                throw failure
            }
            session.console.note("It is not shown again. To revoke it: rollcall keys revoke \(id)")
            KeyText.warn(of: response, on: session.console)
        }
    }

    struct Revoke: GatewayCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revoke a key, on every gateway at once.", aliases: ["rm"])
        @OptionGroup var options: GlobalOptions
        @OptionGroup var write: WriteOptions
        @Argument(help: "As `rollcall keys list` shows it; never the key itself.") var id: String

        func run(in session: Session) async throws {
            try await session.remove("/v0/keys/\(try PathText.encode(id))", key: write.key, name: id, word: "revoked")
        }
    }
}

/// Keys as people read them.
enum KeyText {
    /// A gateway without an admin key answers everybody.
    static func warn(of answer: HTTPResponse, on console: Console) {
        guard JSONValue(answer.body)?["enforced"].bool == false else { return }
        console.note("This gateway is open: keys protect nothing until it has an admin key (ROLLCALL_ADMIN_KEY).")
    }

    static func list(_ answer: JSONValue) throws -> String {
        var table = Table(["ID", "NAME", "SCOPES", "MODELS", "EXPIRES", "CREATED"])
        for key in try answer.records("keys") {
            table.add([
                key["id"].text, key["name"].text, HumanText.list(key["scopes"].elements.compactMap(\.text)),
                HumanText.list(key["models"].elements.compactMap(\.text)) ?? "all",
                key["expires_at"].text ?? "never", key["created_at"].text,
            ])
        }
        return table.text
    }
}
