public import Logging

/// A log handler that gives each event to a closure, with the logger's metadata merged into the event's.
public struct EventLogHandler: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var logLevel: Logger.Level
    private let receive: @Sendable (LogEvent, Logger.Metadata) -> Void

    public init(logLevel: Logger.Level = .trace, receive: @escaping @Sendable (LogEvent, Logger.Metadata) -> Void) {
        self.logLevel = logLevel
        self.receive = receive
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) { receive(event, metadata.merging(event.metadata ?? [:]) { $1 }) }
}
