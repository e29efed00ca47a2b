import AMQP
import Conventions
import FoundationEssentials
import Glibc
import Logging
import ServiceLifecycle
import Synchronization
import UnixSignals

extension RollcallProcess {
    /// `--help`, `--version`, `--check-config`, `--config FILE`; runs the services until SIGTERM or SIGINT; exit codes
    /// 0, 64 (usage), 78 (configuration), 1 (failed, or a second signal).
    public static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        switch LaunchPlan<Self>(arguments: arguments, environment: ProcessInfo.processInfo.environment) {
        case .print(let text):
            print(text, terminator: "")
            exit(0)
        case .refuse(let code, let line):
            LineLogHandler.writeToStandardError("\(program): \(line)\n")
            exit(code)
        case .run(let process, let settings, let common):
            await start(process, settings, common)
        }
    }

    static func start(_ process: Self, _ settings: ProcessSettings, _ common: CommonSettings) async -> Never {
        let logger = common.logger
        let (format, level) = (common.logFormat, logger.logLevel)
        LoggingSystem.bootstrap { LineLogHandler(label: $0, format: format, level: level) }
        LogWriter.flushAtTheEnd()
        ProcessLimits.ignoreBrokenPipes()
        ProcessLimits.raiseOpenFiles(logger: logger)
        warn(of: settings.unknownNames, logger: logger)
        exit(await run(process, logger: logger))
    }

    /// Runs the services to their end and gives the exit code.
    ///
    /// - Parameter signals: those that ask it to stop
    static func run(
        _ process: Self, logger: Logger, signals: [UnixSignal] = [.sigterm, .sigint]
    ) async -> Int32 {
        do {
            logger.info("Starting", metadata: ["version": "\(rollcallVersion)", "pid": "\(getpid())"])
            let stop = StopRequest()
            let services = try await process.services(stop: stop)
            try await run(services, stop, limit: process.stopLimit, logger: logger, signals: signals)
            logger.info("Stopped")
            return 0
        } catch let exit as ProcessExit {
            return refuse(exit.code, exit.message)
        } catch let error as SettingError {
            return refuse(ProcessExit.configuration, "\(error)")
        } catch let error as AMQPError where error.code == .configuration {
            return refuse(ProcessExit.configuration, error.message)
        } catch {
            logger.critical("The process ends after an error", metadata: ["error": "\(error)"])
            return ProcessExit.failure
        }
    }

    /// Runs the services until they are asked to stop.
    ///
    /// Once that has been asked, a service that had to be cancelled after `limit` is no failure of the process.
    private static func run(
        _ services: [any Service], _ stop: StopRequest, limit: Duration, logger: Logger, signals: [UnixSignal]
    ) async throws {
        let witness = ShutdownWitness()
        // The signals are not the group's: it takes only the first.
        var configuration = ServiceGroupConfiguration(services: services + [MemoryTrimmer(), witness], logger: logger)
        configuration.maximumGracefulShutdownDuration = limit
        configuration.maximumCancellationDuration = .seconds(5)
        let group = ServiceGroup(configuration: configuration)
        let caught = await UnixSignalsSequence(trapping: signals)
        let watch = Task {
            for await signal in caught {
                if stop.note(signal) {
                    await group.triggerGracefulShutdown()
                } else {
                    logger.warning("Asked to stop a second time: ending at once")
                    LogWriter.standardError.flush(within: LogWriter.lastFlush)
                    _exit(ProcessExit.failure)
                }
            }
        }
        defer { watch.cancel() }
        do {
            try await group.run()
        } catch let error where witness.wasAsked && (error is CancellationError || error is ServiceGroupError) {
            logger.warning("Stopped before all was finished", metadata: ["error": "\(error)"])
        }
    }

    private static func warn(of unknownNames: [ProcessSettings.UnknownName], logger: Logger) {
        for unknown in unknownNames {
            var metadata: Logger.Metadata = ["name": "\(unknown.name)", "source": "\(unknown.source)"]
            if let nearest = unknown.nearest { metadata["did_you_mean"] = "\(nearest)" }
            logger.warning("Unknown setting", metadata: metadata)
        }
    }

    private static func refuse(_ code: Int32, _ message: String) -> Int32 {
        // The reason stands last, after the lines that led to it.
        LogWriter.standardError.flush(within: LogWriter.lastFlush)
        LineLogHandler.writeToStandardError("\(program): \(message)\n")
        return code
    }
}

/// Last in the group, so the first to be told to stop: remembers that it was.
private final class ShutdownWitness: Service {
    private let asked = Atomic(false)
    var wasAsked: Bool { asked.load(ordering: .acquiring) }

    func run() async throws {
        try await gracefulShutdown()
        asked.store(true, ordering: .releasing)
    }
}
