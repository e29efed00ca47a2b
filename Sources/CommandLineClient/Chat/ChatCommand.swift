import ArgumentParser
import Glibc
import JSON

/// `rollcall chat`
struct ChatCommand: GatewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat", abstract: "Ask a model, and print its answer as it comes.",
        discussion: """
            Without PROMPT the prompt is standard input; at a terminal it is a conversation, line by line, until Ctrl-D. \
            Ctrl-C ends an answer of a conversation before its time.

            The answer goes to standard output. A model's reasoning goes to standard error.

            --timeout is how long nothing may come of an answer, which may take longer than that in all. --json prints \
            each event of the stream as it came, one on a line.
            """)
    @OptionGroup var options: GlobalOptions
    @Argument(help: "As rollcall models list shows it.", completion: NameCompletion.usableModels) var model: String
    @Argument(help: ArgumentHelp("What to ask.", valueName: "prompt")) var prompt: [String] = []
    @Option(help: ArgumentHelp("What the model is to keep to.", valueName: "text")) var system: String?
    @Option(help: ArgumentHelp("Length of an answer at most.", valueName: "count")) var maxTokens: Int?
    @Option(help: ArgumentHelp("0 for the likeliest answer, higher for others.", valueName: "number"))
    var temperature: Double?
    @Flag(help: "Say on standard error which endpoint answered, and how fast.") var stats = false

    func validate() throws {
        if let maxTokens, maxTokens < 1 { throw ValidationError("--max-tokens is a number, 1 or more") }
        if let temperature, !(0...1000).contains(temperature) {
            throw ValidationError("--temperature is a number, 0 or more")
        }
    }

    func run(in session: Session) async throws {
        if prompt.isEmpty, isatty(STDIN_FILENO) == 1 { return try await converse(in: session) }
        let text = prompt.isEmpty ? try TextFile.read("-") : prompt.joined(separator: " ")
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw CommandFailure(.usage, "there is no prompt: neither an argument, nor anything on standard input")
        }
        _ = try await answer(firstMessages + [Self.message("user", text)], in: session)
    }

    private func converse(in session: Session) async throws {
        guard !session.printsJSON else {
            throw CommandFailure(.usage, "--json is for one answer: give a prompt, or write it to standard input")
        }
        var messages = firstMessages
        session.console.note(
            "Ask \(HumanText.clean(model)), a line at a time. Ctrl-C ends an answer, Ctrl-D the conversation.")
        while let line = nextLine(in: session) {
            guard line.contains(where: { !$0.isWhitespace }) else { continue }
            let asked = messages + [Self.message("user", line)]
            do {
                let text = try await interruptible(asked, in: session)
                // The beginning of an answer is part of the conversation: the next question may be about it.
                if !text.isEmpty { messages = asked + [Self.message("assistant", text)] }
            } catch let failure as CommandFailure where isPassing(failure) || messages.count > firstMessages.count {
                session.console.note(failure)
                session.console.note("This question is forgotten; the conversation goes on.")
            }
        }
        session.console.note("")
    }

    /// Whether the next question may get its answer: an endpoint that fails once, or is busy, must not cost the conversation.
    private func isPassing(_ failure: CommandFailure) -> Bool {
        switch failure.status {
        case .failure, .tryAgain: failure.code != CommandFailure.outputCode
        default: false
        }
    }

    /// Asks, and lets Ctrl-C end the answer. Returns the text that has come until then.
    private func interruptible(_ messages: [JSONValue], in session: Session) async throws -> String {
        let answering = Task { try await answer(messages, in: session) }
        session.interruption.setSubstitute { answering.cancel() }
        defer { session.interruption.setSubstitute(nil) }
        return try await answering.value
    }

    private func nextLine(in session: Session) -> String? {
        session.interruption.setFarewell { [console = session.console] in console.note("") }
        session.console.remark("> ")
        return readLine()
    }

    private var firstMessages: [JSONValue] { system.map { [Self.message("system", $0)] } ?? [] }

    private static func message(_ role: String, _ content: String) -> JSONValue {
        .object(["role": .string(role), "content": .string(content)])
    }

    /// The text of the answer, once it is complete.
    private func answer(_ messages: [JSONValue], in session: Session) async throws -> String {
        var request: JSONObject = [
            "model": .string(model), "messages": .array(messages), "stream": .bool(true),
        ]
        request["max_tokens"] = maxTokens.map { .integer(Int64($0)) }
        request["temperature"] = temperature.map(JSONValue.number)
        // Servers count tokens only if they are asked to. One that does not know the option may refuse it.
        if stats { request["stream_options"] = .object(["include_usage": .bool(true)]) }
        let output = ChatOutput(session.console)
        session.interruption.setFarewell { output.interrupt() }
        defer { session.interruption.setFarewell(nil) }
        let start = session.time.elapsed()
        let summary = try await ChatAnswer(request: request, session: session, patience: session.time.limit)
            .print(to: output)
        if summary.isInterrupted {
            // A terminal shows ^C where the next line is to begin.
            if summary.pieces == 0 { session.console.note("") }
            return summary.text
        }
        if let remark = Self.remark(summary) { session.console.note(remark) }
        if stats { session.console.remark(summary.statistics(total: session.time.elapsed() - start)) }
        return summary.text
    }

    /// Why an answer that looks whole is not.
    private static func remark(_ summary: ChatAnswer.Summary) -> String? {
        switch summary.finishReason {
        case "length": "The answer ends here because of --max-tokens, or because the model's context is full."
        case "content_filter": "The answer ends here because of the server's content filter."
        case _ where summary.pieces == 0: "The answer is empty."
        default: nil
        }
    }
}
