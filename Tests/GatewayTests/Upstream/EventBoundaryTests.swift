import NIOCore
import TestSupport
import Testing

@testable import Gateway

@Suite struct EventBoundaryTests {
    private func scan(_ text: String) -> (place: Int?, boundary: EventBoundary) {
        var boundary = EventBoundary()
        let place = Array(text.utf8).withUnsafeBytes { boundary.scan($0, 0..<$0.count) }
        return (place, boundary)
    }

    @Test(
        arguments: [
            ("data: a\n\n", 9), ("data: a\r\n\r\n", 11), ("data: a\n\r\n", 10), ("data: a\r\n\n", 10),
            ("data: a\n\ndata: b", 9),
            ("data: a\n\ndata: b\n", 9), ("data: a", nil), ("data: a\n", nil), ("data: a\n:c\n", nil), (": c\n", 4),
            (": c\n: d", 4),
            (": c\ndata: a\n", 4), ("\n", 1), ("\n\n\n", 3), ("a\n\nb\n\nc", 6), ("data: a\r\rdata: b", 9),
            ("data: a\r\r", nil),
            ("data: a\n\r", nil), ("data: a\r\r:", 9), ("\r", nil), (": c\r", nil), (": c\r:", 4),
            ("data: a\n:\n\n:", 11),
            ("data:\n\n ", 7), (" : c\n", nil),
        ] as [(String, Int?)])
    func findsTheLastPlaceBetweenEvents(text: String, place: Int?) {
        #expect(scan(text).place == place)
        #expect(scan(text).boundary.isBetweenEvents == (place == text.utf8.count))
    }

    @Test(arguments: [
        ("", true), ("data: a\n\n", true), ("data: a\r\r", true), (": comm", true), ("data: a\n\n: comm", true),
        ("data: a\n", false),
        ("data: a\n\ndata: [DONE]\n", false), ("i", false), ("data: a\n:c\n", false), ("data: a\r", false),
    ])
    func knowsWhetherTheLastEventIsComplete(text: String, isComplete: Bool) {
        #expect(scan(text).boundary.isCompleteAtEnd == isComplete)
    }

    @Test(
        arguments: [
            ("", nil, true), ("a", nil, false), ("a\n", 2, true), ("a\nb", 2, false), ("a\nb\n", 4, true),
            ("\n", 1, true),
            ("a\r\n", 3, true), ("a\n\n", 3, true), (": c\n", 4, true),
        ] as [(String, Int?, Bool)])
    func inAStreamOfLinesEachLineIsAnEvent(text: String, place: Int?, isComplete: Bool) {
        for cut in 0...text.utf8.count {
            var boundary = EventBoundary(isOfLines: true)
            let (first, second) = Array(text.utf8).withUnsafeBytes {
                (boundary.scan($0, 0..<cut), boundary.scan($0, cut..<$0.count))
            }
            #expect(second ?? first == place, "cut at \(cut)")
            #expect(boundary.isBetweenEvents == isComplete && boundary.isCompleteAtEnd == isComplete)
        }
    }

    /// Every text of these characters up to some length, cut in two anywhere.
    @Test func findsWhatTheSlowWayFinds() {
        var random = SeededGenerator(seed: 3)
        let characters: [UInt8] = Array("\n\n\n\r\r:xxxxxxxxx".utf8)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...24, using: &random)).map { _ in
                characters[Int.random(in: 0..<characters.count, using: &random)]
            }
            let cut = Int.random(in: 0...bytes.count, using: &random)
            var boundary = EventBoundary()
            let (first, second) = bytes.withUnsafeBytes {
                (boundary.scan($0, 0..<cut), boundary.scan($0, cut..<$0.count))
            }
            let places = EventPlaces(bytes)
            // The first part ends where a CR is not decided yet; the second part decides it.
            let found = second ?? first ?? 0
            #expect(found == places.last, "\(bytes) cut at \(cut)")
            #expect(boundary.isBetweenEvents == places.isBetween[bytes.count], "\(bytes) cut at \(cut)")
            #expect(boundary.isCompleteAtEnd == places.isComplete, "\(bytes) cut at \(cut)")
        }
    }
}
