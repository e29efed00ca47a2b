import ArgumentParser
import Curl
import JSON

/// `rollcall operations`
struct OperationsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operations", abstract: "Writes that a gateway has accepted and not finished yet.",
        subcommands: [Watch.self])

    struct Watch: GatewayCommand {
        static let configuration = CommandConfiguration(abstract: "Wait until an operation is done.")
        @OptionGroup var options: GlobalOptions
        @Argument(help: "As the gateway or an interrupted command has named it.") var id: String

        func run(in session: Session) async throws {
            try session.show(try await OperationWatch(session: session).finish(id)) { operation in
                "succeeded" + (operation["result"].text.map { ": \(HumanText.clean($0))" } ?? "") + "\n"
            }
        }
    }
}

/// `rollcall status`
struct StatusCommand: GatewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Whether the gateway is alive and ready.",
        discussion: """
            Exits with 75 where it is alive and not ready, with 69 where it cannot be reached: for health checks. Needs no \
            key. Pollers and registrars can be asked as well, at their ROLLCALL_HEALTH_PORT.
            """)
    @OptionGroup var options: GlobalOptions

    func run(in session: Session) async throws {
        let alive = try await session.client.answer("/healthz").status
        let response = try await session.client.answer("/readyz")
        let report = JSONValue(response.body) ?? .null
        guard report["ready"].bool != nil else { throw CommandFailure(answer: response) }
        // Only a gateway has two words for its broker.
        let isGateway = report["broker"]["publish"].string != nil
        try session.show(response) { report in
            var fields = FieldList()
            fields.add(isGateway ? "gateway" : "process", session.client.url)
            fields.add("alive", alive == 200 ? "yes" : "no, \(alive)")
            fields.add("ready", report["ready"].text)
            if isGateway {
                addGateway(report, to: &fields)
            } else {
                for (name, value) in report.object?.sorted ?? [] where name != "ready" {
                    fields.add(name, value.text)
                }
            }
            return fields.text
        }
        if report["ready"].bool == false {
            throw CommandFailure(
                .tryAgain, report["error"]["message"].string ?? report["reason"].string ?? "it is not ready")
        }
    }

    private func addGateway(_ report: JSONValue, to fields: inout FieldList) {
        fields.add("catalog", report["version"].text)
        fields.add("age", report["age_seconds"].text.map { "\($0) s" })
        fields.add("unconfirmed", report["unconfirmed"].text)
        fields.add("broker", brokerText(report["broker"]))
        if let reason = report["reason"].text { fields.add("reason", reason) }
    }

    private func brokerText(_ broker: JSONValue) -> String? {
        guard let publish = broker["publish"].text, let consume = broker["consume"].text else { return broker.text }
        return publish == consume ? publish : "publish \(publish), consume \(consume)"
    }
}
