import Logging
import Synchronization
import TestSupport
import Testing

@testable import Poller

@Suite struct SkippedEntriesTests {
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    @Test func anEndpointIsToldOfOnceUntilItsListIsWholeAgain() {
        let lines = Lines()
        let skipped = SkippedEntries(
            logger: Logger(label: "test") { _ in
                EventLogHandler { event, metadata in
                    lines.all.withLock { $0.append("\(event.level) \(metadata["endpoint"] ?? "")") }
                }
            })
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
