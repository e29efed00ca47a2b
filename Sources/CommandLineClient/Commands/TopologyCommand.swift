import AMQP
import ArgumentParser
import Catalog
import FoundationEssentials

/// `rollcall topology`: like `rollcall broker` it talks to the broker and not to a gateway.
struct TopologyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topology", abstract: "The queues and exchanges of a deployment, at its broker.",
        discussion: """
            The processes declare what is missing for themselves where their users may. Where they may not, apply \
            declares it for them, as a user that may; rights says which rights each needs.
            """,
        subcommands: [Apply.self, Check.self, Rights.self])

    struct Apply: BrokerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Declare what is missing. It may be repeated at any time.",
            discussion: """
                Exits with 73 where a queue is there with other arguments, which cannot be changed; with 77 where the \
                user may not declare or not log in; with 69 where no broker is there within --timeout.
                """)
        @OptionGroup var broker: BrokerOptions
        @OptionGroup var deployment: NamespaceOptions
        @OptionGroup var wait: WaitOptions

        func run(in session: BrokerSession) async throws {
            let reports = try await session.reports { (visit) throws(AMQPError) in try await visit.apply() }
            try session.show(reports)
            try session.check(reports)
        }
    }

    struct Check: BrokerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Whether all is there; changes nothing and needs no rights.",
            discussion: """
                Exits with 66 where an exchange or a queue is missing. Bindings and the arguments of queues cannot be \
                asked for over AMQP: apply makes the ones and compares the others.
                """)
        @OptionGroup var broker: BrokerOptions
        @OptionGroup var deployment: NamespaceOptions
        @OptionGroup var wait: WaitOptions

        func run(in session: BrokerSession) async throws {
            let reports = try await session.reports { (visit) throws(AMQPError) in try await visit.check() }
            try session.show(reports)
            session.console.note("not checked: bindings and arguments, which AMQP does not tell")
            try session.check(reports)
        }
    }

    struct Rights: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The least rights of each process' user, as rabbitmqctl takes them.",
            discussion: "Asks no broker. Users are named here as the roles are; put in your own names.")
        @OptionGroup var deployment: NamespaceOptions
        @Option(help: ArgumentHelp("The virtual host.", valueName: "name")) var vhost = "/"

        func run() async throws {
            try await BrokerSession.reporting(to: .standard(isVerbose: false)) { console in
                let map = BrokerMap(namespace: try deployment.value(ProcessInfo.processInfo.environment))
                for role in BrokerRights.Role.allCases {
                    let rights = map.rights(of: role)
                    try console.write(
                        "rabbitmqctl set_permissions -p '\(vhost)' \(role.rawValue) "
                            + "'\(rights.configure)' '\(rights.write)' '\(rights.read)'\n")
                }
            }
        }
    }
}

struct WaitOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Wait this long for a broker that is not there yet.", valueName: "seconds"))
    var timeout: Double = 30

    @Flag(help: "Say on standard error what is going on, also where that is no terminal.")
    var verbose = false

    func validate() throws {
        guard timeout >= 0, timeout <= 86_400 else {
            throw ValidationError("--timeout is a number of seconds from 0 to 86400")
        }
    }
}

/// A command that talks to the broker.
protocol BrokerCommand: AsyncParsableCommand {
    var broker: BrokerOptions { get }
    var deployment: NamespaceOptions { get }
    var wait: WaitOptions { get }
    func run(in session: BrokerSession) async throws
}

extension BrokerCommand {
    func run() async throws {
        try await BrokerSession.reporting(to: .standard(isVerbose: wait.verbose)) { console in
            let environment = ProcessInfo.processInfo.environment
            let map = BrokerMap(namespace: try deployment.value(environment))
            let place = try broker.place(environment, folder: FileManager.default.currentDirectoryPath)
            let session = try BrokerSession(
                configuration: try broker.configuration(place, environment, name: "rollcall \(Self._commandName)"),
                map: map, console: console,
                time: .real(limit: .milliseconds(Int64(wait.timeout * 1000))))
            console.note("broker: \(HumanText.clean(place.description))")
            try await run(in: session)
        }
    }
}

/// What a broker's command works with.
struct BrokerSession: Sendable {
    private static let pause = Duration.milliseconds(500)

    let configuration: ConnectionConfiguration
    let map: BrokerMap
    let visit: TopologyVisit
    let console: Console
    let time: Timekeeper

    init(
        configuration: ConnectionConfiguration, map: BrokerMap, console: Console, time: Timekeeper
    ) throws(CommandFailure) {
        do throws(AMQPError) {
            visit = try TopologyVisit(configuration: configuration, topology: map.topology)
        } catch {
            throw CommandFailure(.usage, error.message)
        }
        self.configuration = configuration
        self.map = map
        self.console = console
        self.time = time
    }

    /// Tries until a broker is there and lets the user in. A refused login is tried again too: a broker that is just
    /// starting may not have read its users yet.
    func reports(
        _ body: (TopologyVisit) async throws(AMQPError) -> [TopologyVisit.Report]
    ) async throws -> [TopologyVisit.Report] {
        var told = ""
        while true {
            let failure: AMQPError
            do throws(AMQPError) {
                return try await body(visit)
            } catch {
                failure = error
            }
            guard time.left > Self.pause else { throw Self.failure(failure) }
            if failure.message != told { console.progress("waiting for the broker: \(failure.message)") }
            told = failure.message
            try await time.pause(Self.pause)
        }
    }

    static func failure(_ error: AMQPError) -> CommandFailure {
        switch error.code {
        case .accessRefused:
            CommandFailure(
                .notPermitted, error.message, code: "access_refused",
                hint: "Is the user there, with its password, and may it use this virtual host?")
        case .channelClosed: CommandFailure(.failure, error.message)
        default:
            CommandFailure(
                .unreachable, error.message, code: "no_broker",
                hint: "No broker was there within --timeout; the URL is that of ROLLCALL_AMQP_URL or --amqp-url.")
        }
    }

    func show(_ reports: [TopologyVisit.Report]) throws(CommandFailure) {
        for report in reports {
            try console.write("\(Self.word(report.finding))  \(Self.name(report.item))\n")
        }
    }

    /// Throws what is the matter with the first item that is not as it has to be.
    func check(_ reports: [TopologyVisit.Report]) throws(CommandFailure) {
        for report in reports {
            let name = Self.name(report.item)
            switch report.finding {
            case .found, .made, .bound: continue
            case .missing:
                throw CommandFailure(
                    .notFound, "the \(name) is missing", code: "topology_incomplete",
                    hint: "Run rollcall topology apply as a user that may declare it.")
            case .different(let text):
                throw CommandFailure(
                    .conflict, "the \(name) is there with other properties: \(text)", code: "topology_conflict",
                    hint: Self.remedy(report.item))
            case .refused(let text):
                throw CommandFailure(
                    .notPermitted, "the \(name): \(text)", code: "access_refused",
                    hint: "Run this as a user that may declare it; rollcall topology rights says what it needs.")
            }
        }
    }

    private static func remedy(_ item: TopologyVisit.Item) -> String {
        guard case .queue(let name) = item else {
            return "Delete it by hand while no process runs, and run this again."
        }
        return """
            A queue's arguments cannot be changed. Stop the processes, see what is in it (rabbitmqctl list_queues name \
            messages arguments), delete it with rabbitmqctl delete_queue \(name), and run this again; or use another \
            ROLLCALL_NAMESPACE. The catalog is announced anew by the registrar; commands that are waiting would be lost.
            """
    }

    private static func word(_ finding: TopologyVisit.Finding) -> String {
        switch finding {
        case .found: "found    "
        case .made: "made     "
        case .bound: "bound    "
        case .missing: "missing  "
        case .different: "different"
        case .refused: "refused  "
        }
    }

    private static func name(_ item: TopologyVisit.Item) -> String {
        switch item {
        case .exchange(let name): "exchange \(name)"
        case .queue(let name): "queue \(name)"
        case .binding(let queue, let exchange): "binding of \(queue) to \(exchange)"
        }
    }

    /// Runs a command to its exit code, and says what has failed.
    static func reporting(to console: Console, _ body: (Console) async throws -> Void) async throws {
        let interruption = Interruption(console: console)
        defer { interruption.end() }
        do {
            try await body(console)
        } catch let failure as CommandFailure {
            console.note(failure)
            throw ExitCode(failure.status.rawValue)
        }
    }
}
