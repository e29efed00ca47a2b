import Logging
import Synchronization
import Testing

@testable import Poller

@Suite struct SkippedEntriesTests {
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    private struct Handler: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            lines.all.withLock { $0.append("\(event.level) \(event.metadata?["endpoint"] ?? "")") }
        }
    }

    @Test func anEndpointIsToldOfOnceUntilItsListIsWholeAgain() {
        let lines = Lines()
        let skipped = SkippedEntries(logger: Logger(label: "test") { _ in Handler(lines: lines) })
        for _ in 0..<3 {
            skipped.note(2, of: "a")
            skipped.note(0, of: "b")
        }
        skipped.note(1, of: "b")
        #expect(lines.all.withLock { $0 } == ["warning a", "warning b"])
        skipped.note(0, of: "a")
        skipped.note(1, of: "a")
        #expect(lines.all.withLock { $0 }.count == 3)
    }
}
