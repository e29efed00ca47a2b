import Conventions
import Glibc
import JSON
import Logging

/// Makes one line of each log message, as text for people or JSON for machines. `LogWriter` writes the lines: nobody who
/// logs waits for the reader of the log, and lines of several threads do not mix.
struct LineLogHandler: LogHandler {
    /// Takes a line, and what makes the line that says how many were dropped if this one is.
    typealias Write = @Sendable (_ line: String, _ notice: @escaping @Sendable (Int) -> String) -> Void

    enum Format: String, Sendable, CaseIterable { case text, json }

    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel: Logger.Level
    private let label: String
    private let format: Format
    private let write: Write
    private let now: @Sendable () -> timespec

    init(
        label: String, format: Format, level: Logger.Level,
        write: @escaping Write = { LogWriter.standardError.append($0, notice: $1) },
        now: @escaping @Sendable () -> timespec = LineLogHandler.wallClock
    ) {
        self.label = label
        self.format = format
        self.logLevel = level
        self.write = write
        self.now = now
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        if let metadataProvider { all.merge(metadataProvider.get()) { $1 } }
        if let given = event.metadata { all.merge(given) { $1 } }
        if let error = event.error { all["error"] = "\(error)" }
        write(line(event.level, event.message, all)) { count in
            line(.warning, "Log lines were dropped", ["count": "\(count)"])
        }
    }

    private func line(_ level: Logger.Level, _ message: Logger.Message, _ metadata: Logger.Metadata) -> String {
        // An empty value tells the reader nothing.
        let fields = metadata.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        let time = Self.timestamp(now())
        return switch format {
        case .text: textLine(level.rawValue, message, time, fields)
        case .json: jsonLine(level.rawValue, message, time, fields)
        }
    }

    private func textLine(
        _ level: String, _ message: Logger.Message, _ time: String, _ fields: [(String, Logger.MetadataValue)]
    ) -> String {
        var line = "\(time) \(level)\(String(repeating: " ", count: 8 - level.utf8.count)) \(label) "
        line += Self.withoutControls(message.description)
        for (key, value) in fields { line += " \(key)=\(Self.quotedIfNeeded(value.description))" }
        return line + "\n"
    }

    private func jsonLine(
        _ level: String, _ message: Logger.Message, _ time: String, _ fields: [(String, Logger.MetadataValue)]
    ) -> String {
        var json = JSONWriter(hiding: \.isHidden)
        json.object { json in
            json.field("time", time)
            json.field("level", level)
            json.field("label", label)
            json.field("message", message.description)
            json.field("metadata") { Self.write(fields, into: &$0) }
        }
        return json.text + "\n"
    }

    private static func write(_ fields: [(String, Logger.MetadataValue)], into json: inout JSONWriter) {
        json.object { json in
            for (key, value) in fields {
                json.key(key)
                write(value, into: &json)
            }
        }
    }

    private static func write(_ value: Logger.MetadataValue, into json: inout JSONWriter) {
        switch value {
        case .string(let text): json.value(text)
        case .stringConvertible(let value): json.value(value.description)
        case .dictionary(let fields):
            write(fields.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, into: &json)
        case .array(let items): json.array { for item in items { write(item, into: &$0) } }
        }
    }

    /// As it is where that is unambiguous, else as a JSON string.
    private static func quotedIfNeeded(_ text: String) -> String {
        let plain = text.unicodeScalars.allSatisfy {
            $0 != " " && $0 != "\"" && $0 != "=" && $0 != "\\" && !$0.isHidden
        }
        if plain && !text.isEmpty { return text }
        var json = JSONWriter(hiding: \.isHidden)
        json.value(text)
        return json.text
    }

    private static func withoutControls(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.value < 0x20 }) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 ? " " : $0 }))
    }
}

extension LineLogHandler {
    static func wallClock() -> timespec {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time
    }

    /// RFC 3339 in UTC with milliseconds.
    static func timestamp(_ time: timespec) -> String {
        var seconds = time.tv_sec
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
        let date =
            "\(padded(Int(parts.tm_year) + 1900, 4))-\(padded(Int(parts.tm_mon) + 1, 2))-\(padded(Int(parts.tm_mday), 2))"
        let hour = "\(padded(Int(parts.tm_hour), 2)):\(padded(Int(parts.tm_min), 2)):\(padded(Int(parts.tm_sec), 2))"
        return "\(date)T\(hour).\(padded(time.tv_nsec / 1_000_000, 3))Z"
    }

    /// Writes all of it at once, also to a pipe that takes only a part, and waits for the reader. What nobody reads any
    /// more is dropped. For `LogWriter`, and for the one line of a refusal before there is a log.
    static func writeToStandardError(_ line: String) {
        var line = line
        line.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while let start = rest.baseAddress, !rest.isEmpty {
                let written = Glibc.write(STDERR_FILENO, start, rest.count)
                if written > 0 {
                    rest = UnsafeRawBufferPointer(rebasing: rest[written...])
                } else if errno == EAGAIN {
                    // Someone who shares the descriptor made it non-blocking: wait until there is room.
                    var descriptor = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&descriptor, 1, 1000)
                } else if errno != EINTR {
                    return
                }
            }
        }
    }
}

extension Logger.MetadataValue {
    fileprivate var isEmpty: Bool {
        switch self {
        case .string(let text): text.isEmpty
        case .stringConvertible(let value): value.description.isEmpty
        case .dictionary(let fields): fields.isEmpty
        case .array(let items): items.isEmpty
        }
    }
}
