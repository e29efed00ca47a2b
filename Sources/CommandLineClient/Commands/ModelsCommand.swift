import ArgumentParser
import Curl
import FoundationEssentials
import JSON

/// `rollcall models`
struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "What can be used now, and what is registered from Hugging Face.",
        subcommands: [
            List.self, Registered.self, Show.self, Register.self, Remove.self, Refresh.self, Verify.self, Manifest.self,
        ])

    static func path(_ name: String) throws -> String { "/v0/models/\(try registration(name))" }

    /// The name of a registration as it stands in a route. Any other name would be another route, and the gateway would say
    /// something of that.
    private static func registration(_ name: String) throws -> String {
        guard isRegistration(name) else {
            throw CommandFailure(
                .notFound, "\(name) is not registered: a registration is called ORG/NAME, as its repository is",
                code: "model_not_registered", hint: "rollcall models registered lists those there are.")
        }
        return try PathText.encode(name)
    }

    private static func isRegistration(_ name: String) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty }
    }

    struct List: GatewayCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the models that can be used now.", aliases: ["ls"])
        @OptionGroup var options: GlobalOptions

        func run(in session: Session) async throws {
            try session.show(try await session.client.get("/v1/models"), ModelText.list)
        }
    }

    struct Registered: GatewayCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the registered Hugging Face models, and which of them are ready.")
        @OptionGroup var options: GlobalOptions

        func run(in session: Session) async throws {
            try session.show(try await session.client.get("/v0/models/hub"), ModelText.registrations)
        }
    }

    struct Show: GatewayCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a model: one that is registered, or one that can be used now.")
        @OptionGroup var options: GlobalOptions
        @Argument(help: "Such as qwen/qwen3-8b-gguf or qwen3:14b.", completion: NameCompletion.anyModels)
        var name: String

        func run(in session: Session) async throws {
            let usable = "/v1/models/\(try PathText.encode(name))"
            if isRegistration(name) {
                do {
                    return try session.show(try await session.client.get(try path(name)), ModelText.record)
                } catch let failure as CommandFailure where failure.code == "model_not_registered" {
                    // It may be the id of a model that an endpoint has.
                }
            }
            do {
                try session.show(try await session.client.get(usable), ModelText.entry)
            } catch var failure as CommandFailure where failure.code == "model_not_found" {
                // The gateway's message names the nearest models.
                if isRegistration(name) {
                    failure.hint = "It is not registered either. rollcall models registered lists those that are."
                }
                throw failure
            }
        }
    }

    struct Remove: GatewayCommand {
        static let configuration = CommandConfiguration(abstract: "Forget a registered model.", aliases: ["rm"])
        @OptionGroup var options: GlobalOptions
        @OptionGroup var write: WriteOptions
        @Argument(completion: NameCompletion.registrations) var name: String

        func run(in session: Session) async throws {
            try await session.remove(try path(name), key: write.key, name: name)
        }
    }

    struct Refresh: GatewayCommand {
        static let configuration = CommandConfiguration(
            abstract: "Look at a model's repository again, and say what has changed.")
        @OptionGroup var options: GlobalOptions
        @OptionGroup var write: WriteOptions
        @Argument(completion: NameCompletion.registrations) var name: String
        @Flag(help: "Register what is there now.") var apply = false

        func run(in session: Session) async throws {
            let place = try path(name)
            let body: JSONValue = apply ? .object(["apply": .bool(true)]) : .object([:])
            let response = try await session.change("POST", place + "/refresh", body: body, key: write.key) { _ in place
            }
            try session.show(response, ModelText.refreshed)
        }
    }

    struct Verify: GatewayCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let every endpoint that serves a model generate a token or two.",
            discussion: "Exits with 1 where one of them did not.")
        @OptionGroup var options: GlobalOptions
        @OptionGroup var write: WriteOptions
        @Argument(completion: NameCompletion.registrations) var name: String

        func run(in session: Session) async throws {
            let place = try path(name)
            let response = try await session.change("POST", place + "/verify", body: .object([:]), key: write.key) {
                _ in
                place
            }
            try session.show(response) { record in
                let text = ModelText.verification(record)
                return text.isEmpty ? ModelText.record(record) : String(text.dropFirst())
            }
            let results = JSONValue(response.body)?["verification"].array ?? []
            let failed = results.filter { $0["outcome"].string != "ok" }.count
            guard failed == 0 else {
                throw CommandFailure(.failure, "\(failed) of \(results.count) endpoints did not generate anything")
            }
        }
    }

    struct Manifest: GatewayCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print or save a registered model's manifest, byte for byte.")
        @OptionGroup var options: GlobalOptions
        @Argument(completion: NameCompletion.registrations) var name: String
        @Option(help: ArgumentHelp("A file to write instead of standard output.", valueName: "path"))
        var output: String?

        func run(in session: Session) async throws {
            let response = try await session.client.get(
                "/v0/models/registry/\(try registration(name))/manifest.json")
            guard JSONValue(response.body) != nil else {
                throw CommandFailure.notJSON(response)
            }
            guard let output else { return try session.console.write(response.body) }
            do {
                try Data(response.body).write(to: URL(filePath: output), options: .atomic)
            } catch {
                throw CommandFailure(.failure, "\(output) cannot be written")
            }
        }
    }
}
