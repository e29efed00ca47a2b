import ArgumentParser
import Curl
import JSON

/// `rollcall endpoints`
struct EndpointsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "endpoints", abstract: "The inference servers of the fleet.",
        subcommands: [List.self, Show.self, Add.self, Update.self, Remove.self, Poll.self])

    fileprivate static func path(_ name: String) throws -> String { "/v0/endpoints/\(try PathText.encode(name))" }

    struct List: GatewayCommand {
        static let configuration = CommandConfiguration(abstract: "List the endpoints.", aliases: ["ls"])
        @OptionGroup var options: GlobalOptions
        @Option(help: "Only those: pending, online, degraded, or offline.") var state: String?
        @Option(help: "Only those: openai, vllm, sglang, llamacpp, ollama, anthropic, …") var kind: String?
        @Option(help: ArgumentHelp("Only those; more than once, all must match.", valueName: "name[=value]"))
        var label: [String] = []

        func run(in session: Session) async throws {
            let query = PathText.query([("state", state), ("kind", kind)] + label.map { ("label", $0) })
            let response = try await session.client.get("/v0/endpoints\(query)")
            try session.show(response, EndpointText.list)
            guard !session.printsJSON, let answer = JSONValue(response.body) else { return }
            for line in EndpointText.advice(answer) { session.console.note(line) }
        }
    }

    struct Show: GatewayCommand {
        static let configuration = CommandConfiguration(abstract: "Show an endpoint and its models.")
        @OptionGroup var options: GlobalOptions
        @Argument(help: "Name or id.", completion: NameCompletion.endpoints) var name: String

        func run(in session: Session) async throws {
            try session.show(try await session.client.get(try path(name)), EndpointText.record)
        }
    }

    struct Remove: GatewayCommand {
        static let configuration = CommandConfiguration(abstract: "Remove an endpoint.", aliases: ["rm"])
        @OptionGroup var options: GlobalOptions
        @OptionGroup var write: WriteOptions
        @Argument(help: "Name or id.", completion: NameCompletion.endpoints) var name: String

        func run(in session: Session) async throws {
            try await session.remove(try path(name), key: write.key, name: name)
        }
    }

    struct Poll: GatewayCommand {
        static let configuration = CommandConfiguration(abstract: "Poll an endpoint now, and show what came of it.")
        @OptionGroup var options: GlobalOptions
        @OptionGroup var write: WriteOptions
        @Argument(help: "Name or id.", completion: NameCompletion.endpoints) var name: String

        func run(in session: Session) async throws {
            let response = try await session.client.write(
                "POST", try path(name) + "/poll", body: .object([:]), key: write.key)
            try session.show(response, EndpointText.record)
            if response.status == 202 {
                throw CommandFailure(.tryAgain, "it has not been polled yet; this is what was known before")
            }
        }
    }
}

extension EndpointsCommand {
    struct Add: GatewayCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add an endpoint; its first poll starts at once.",
            discussion: """
                --wait shows what the first poll has found, and is the default at a terminal. It exits with 1 if the \
                endpoint is not online then; the endpoint stays, and is polled again and again.
                """)
        @OptionGroup var options: GlobalOptions
        @OptionGroup var write: WriteOptions
        @Argument var name: String
        @Argument(help: "Such as http://10.0.0.5:8000.") var baseURL: String
        @Option(help: "Otherwise found out: openai, vllm, sglang, llamacpp, ollama, anthropic, …") var kind: String?
        @Option(help: ArgumentHelp("May be given more than once.", valueName: "name=value")) var label: [String] = []
        @Option(help: ArgumentHelp("1 to 3600.", valueName: "seconds")) var pollInterval: Int?
        @Option(help: ArgumentHelp("Requests at once at most.", valueName: "count")) var maxConcurrency: Int?
        @Option(
            help: ArgumentHelp(
                "A file whose first line is the endpoint's own key; - is standard input.", valueName: "path"))
        var endpointKeyFile: String?
        @Flag(inversion: .prefixedNo, help: "Wait for its first poll.") var wait: Bool?

        func validate() throws { _ = try LabelText.labels(label) }

        func run(in session: Session) async throws {
            var body: JSONObject = ["name": .string(name), "base_url": .string(baseURL)]
            body["kind"] = kind.map(JSONValue.string)
            body["labels"] = label.isEmpty ? nil : try LabelText.labels(label)
            body["poll_interval_seconds"] = pollInterval.map { .integer(Int64($0)) }
            body["max_concurrency"] = maxConcurrency.map { .integer(Int64($0)) }
            body["api_key"] = try endpointKeyFile.map { .string(try SecretFile.firstLine(of: $0)) }
            let added = try await session.change("POST", "/v0/endpoints", body: .object(body), key: write.key) {
                try path($0 ?? name)
            }
            guard wait ?? session.console.isTerminal else { return try session.show(added, EndpointText.record) }
            let id = JSONValue(added.body)?["id"].string
            let polled = try await FirstPoll(session: session).finish(try path(id ?? name), from: added)
            try session.show(polled, EndpointText.record)
            try FirstPoll.check(JSONValue(polled.body) ?? .null)
        }
    }

    struct Update: GatewayCommand {
        static let configuration = CommandConfiguration(abstract: "Change an endpoint; what is not given stays.")
        @OptionGroup var options: GlobalOptions
        @OptionGroup var write: WriteOptions
        @Argument(help: "Name or id.", completion: NameCompletion.endpoints) var name: String
        @Option(help: ArgumentHelp("A new name.", valueName: "name")) var rename: String?
        @Option(help: ArgumentHelp("A new address.", valueName: "url")) var baseURL: String?
        @Option(help: "auto to find it out again.") var kind: String?
        @Option(help: ArgumentHelp("All labels that it is to have; more than once.", valueName: "name=value"))
        var label: [String] = []
        @Flag(help: "Take all labels away.") var noLabels = false
        @Option(help: ArgumentHelp("1 to 3600, or default.", valueName: "seconds")) var pollInterval: Setting?
        @Option(help: ArgumentHelp("Requests at once at most, or default.", valueName: "count"))
        var maxConcurrency: Setting?
        @Flag(inversion: .prefixedNo, help: "Send it no new requests.") var draining: Bool?
        @Option(help: ArgumentHelp("A file whose first line is the endpoint's new key.", valueName: "path"))
        var endpointKeyFile: String?
        @Flag(help: "Take its key away.") var noEndpointKey = false

        /// A number, or back to what it is without one.
        enum Setting: ExpressibleByArgument, Equatable {
            case number(Int)
            case standard

            init?(argument: String) {
                if argument == "default" {
                    self = .standard
                } else if let number = Int(argument) {
                    self = .number(number)
                } else {
                    return nil
                }
            }

            var body: JSONValue {
                switch self {
                case .number(let number): .integer(Int64(number))
                case .standard: .null
                }
            }
        }

        func validate() throws {
            _ = try LabelText.labels(label)
            guard label.isEmpty || !noLabels else {
                throw ValidationError("--label and --no-labels exclude each other")
            }
            guard endpointKeyFile == nil || !noEndpointKey else {
                throw ValidationError("--endpoint-key-file and --no-endpoint-key exclude each other")
            }
            let isEmpty =
                rename == nil && baseURL == nil && kind == nil && label.isEmpty && !noLabels && pollInterval == nil
                && maxConcurrency == nil && draining == nil && endpointKeyFile == nil && !noEndpointKey
            guard !isEmpty else { throw ValidationError("nothing to change was given") }
        }

        func run(in session: Session) async throws {
            var body: JSONObject = [:]
            body["name"] = rename.map(JSONValue.string)
            body["base_url"] = baseURL.map(JSONValue.string)
            body["kind"] = kind.map(JSONValue.string)
            body["labels"] = label.isEmpty && !noLabels ? nil : try LabelText.labels(label)
            body["poll_interval_seconds"] = pollInterval?.body
            body["max_concurrency"] = maxConcurrency?.body
            body["draining"] = draining.map(JSONValue.bool)
            body["api_key"] =
                noEndpointKey ? .null : try endpointKeyFile.map { .string(try SecretFile.firstLine(of: $0)) }
            let place = try path(name)
            let response = try await session.change("PATCH", place, body: .object(body), key: write.key) {
                try path($0 ?? rename ?? name)
            }
            try session.show(response, EndpointText.record)
        }
    }
}

/// `name=value`, as labels are given.
enum LabelText {
    static func labels(_ texts: [String]) throws -> JSONValue {
        var labels: JSONObject = [:]
        for text in texts {
            guard let sign = text.firstIndex(of: "="), sign > text.startIndex else {
                throw ValidationError("--label is name=value, not \(text)")
            }
            labels[String(text[..<sign])] = .string(String(text[text.index(after: sign)...]))
        }
        return .object(labels)
    }
}
