import ArgumentParser
import Curl
import JSON

extension ModelsCommand {
    /// `rollcall models register`: starts the registration, and follows it to its end.
    struct Register: GatewayCommand {
        static let configuration = CommandConfiguration(abstract: "Register a model of Hugging Face.")
        @OptionGroup var options: GlobalOptions
        @OptionGroup var write: WriteOptions
        @Argument(help: "org/name, org/name:QUANTIZATION, or a URL of the repository, a revision, or a file.") var repo:
            String
        @Option(help: "The file to register, where there are several.") var filename: String?
        @Option(help: "The quantization to register, such as Q8_0.") var quantization: String?
        @Option(help: "A branch, a tag, or a commit.") var revision: String?
        @Option(help: "How people call it.") var displayName: String?
        @Option(
            help: ArgumentHelp("A file with the chat template to use in place of the model's own.", valueName: "path"))
        var chatTemplateFile: String?
        @Flag(help: "Show what would be registered, and register nothing.") var dryRun = false
        @Flag(help: "Print the operation and do not wait for it.") var noWait = false

        func run(in session: Session) async throws {
            var body: JSONObject = ["repo": .string(repo)]
            body["filename"] = filename.map(JSONValue.string)
            body["quantization"] = quantization.map(JSONValue.string)
            body["revision"] = revision.map(JSONValue.string)
            body["display_name"] = displayName.map(JSONValue.string)
            body["chat_template"] = try chatTemplateFile.map { .string(try TextFile.read($0)) }
            let response = try await session.client.write(
                "POST", "/v0/models/register" + (dryRun ? "?dry_run=true" : ""), body: .object(body), key: write.key,
                prefersAsync: true)
            guard response.status == 202, let operation = session.operation(response) else {
                return try session.show(response, dryRun ? ModelText.preview : ModelText.record)
            }
            guard !noWait || dryRun else {
                return try session.show(response) { _ in
                    "operation \(operation)\nTo watch it: rollcall operations watch \(operation)\n"
                }
            }
            session.console.progress("operation \(operation)")
            let finished = try await OperationWatch(session: session).finish(operation)
            if dryRun {
                let preview = (JSONValue(finished.body) ?? .null)["preview"]
                return try session.show(preview, ModelText.preview)
            }
            // A registration is named like its repository in lower case; the operation knows also where a URL was given.
            let name = JSONValue(finished.body)?["result"].string ?? repo.lowercased()
            try session.show(try await session.settled(try ModelsCommand.path(name)), ModelText.record)
        }
    }
}
