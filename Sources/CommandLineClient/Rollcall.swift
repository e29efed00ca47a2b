import ArgumentParser
import Conventions

/// `rollcall`: the gateway's HTTP contract for people and scripts, and the broker's set-up for a deployment.
@main struct Rollcall: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollcall",
        abstract: "Look at and change a Rollcall fleet through one of its gateways.",
        discussion: """
            The gateway is that of --url or ROLLCALL_URL, by default \(GlobalOptions.defaultURL). A key for it comes from \
            ROLLCALL_API_KEY or a file (--api-key-file), never from an argument, which others could see.

            Every write is sent with an Idempotency-Key, and again with the same one when the gateway cannot say what \
            became of it: it is done once.

            \(ExitReason.help)
            """,
        version: rollcallVersion,
        subcommands: [
            ChatCommand.self, EndpointsCommand.self, ModelsCommand.self, KeysCommand.self, OperationsCommand.self,
            StatusCommand.self, TopologyCommand.self, BrokerTailCommand.Group.self, CompletionsCommand.self,
            VersionCommand.self,
        ])

    static func main() async {
        let arguments = ArgumentOrder.arranged(Array(CommandLine.arguments.dropFirst()))
        if let correction = NearNames.correction(arguments) { exit(withError: correction) }
        await main(arguments)
    }
}
