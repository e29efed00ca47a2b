import NIOCore
import Testing

@testable import Gateway

@Suite struct AnswerFramingTests {
    /// Payload, how often a chunk ended, how many bytes the answer took, and its last step.
    private func follow(_ text: String, _ framing: AnswerHead.Framing = .chunked, size: Int = .max) -> Followed {
        var follower = AnswerFraming(framing)
        var followed = Followed()
        for read in [ByteBuffer].cut(text, size) {
            var offset = 0
            read.withUnsafeReadableBytes { bytes in
                while true {
                    followed.last = follower.next(bytes, &offset)
                    switch followed.last {
                    case .payload(let range): followed.payload += String(decoding: bytes[range], as: UTF8.self)
                    case .boundary: followed.boundaries += 1
                    case .ended, .needsMore, .malformed: return
                    }
                }
            }
            followed.length += offset
            guard followed.last == .needsMore else { break }
        }
        return followed
    }

    private struct Followed {
        var payload = ""
        var boundaries = 0
        var length = 0
        var last = AnswerFraming.Step.needsMore
    }

    @Test(arguments: [.max, 1, 2, 3, 5]) func findsTheEndOfChunks(size: Int) {
        let body =
            "5\r\nhello\r\n00000B;a;b=c;d=\"e \\\" \u{e9}\"\r\n there, you\r\n1\r\n\n\r\n0;x\r\nT: u\r\nV:\r\n\r\n"
        let followed = follow(body + "HTTP/1.1", size: size)
        #expect(followed.payload == "hello there, you\n")
        #expect(followed.boundaries == 3)
        #expect(followed.last == .ended)
        #expect(followed.length == body.utf8.count)
    }

    @Test func findsTheEndOfALength() {
        let followed = follow("hello there", .length(5), size: 2)
        #expect(followed.payload == "hello" && followed.last == .ended && followed.length == 5)
        #expect(follow("hell", .length(5)).last == .needsMore)
        #expect(follow("x", .length(0)).length == 0)
        #expect(follow("x", .none).last == .ended)
    }

    @Test func untilCloseGoesOn() {
        let followed = follow("0\r\n\r\n", .untilClose, size: 2)
        #expect(followed.payload == "0\r\n\r\n" && followed.last == .needsMore)
    }

    @Test(
        arguments: [
            "zz\r\n", "\r\n", " 5\r\n", "5 \r\n", "+5\r\n", "-5\r\n", "0x5\r\n", "5\n", "5\r5", ";a\r\n",
            "8000000000000000\r\n", "1\r\nab\r\n", "1\r\na\n", "1\r\na\rb", "1\r\na\r\n\r\n0\r\n",
        ], [.max, 1])
    func refusesChunk(text: String, size: Int) {
        #expect(follow(text, size: size).last == .malformed(.badChunk))
    }

    @Test(arguments: [
        "5;\r\n", "5;;a\r\n", "5; a\r\n", "5;a=\r\n", "5;a=b c\r\n", "5;a=b\"c\"\r\n", "5;a=\"b\r\n",
        "5;a=\"\u{1}\"\r\n", "5;a=\"b\"c\r\n", "5;a b\r\n", "5;a\n",
    ])
    func refusesExtension(text: String) { #expect(follow(text).last == .malformed(.badExtension)) }

    @Test(arguments: [
        ("no colon\r\n", AnswerFault.badFieldName), (" folded\r\n", .badFieldName), ("X : a\r\n", .badFieldName),
        ("X: a\r\n b\r\n", .badFieldName), ("\n", .badFieldName), ("X: a\n", .bareLineFeed),
        ("X: a\rb", .controlCharacter),
        ("X: a\0\r\n", .controlCharacter), ("\rX", .controlCharacter),
    ])
    func refusesTrailer(text: String, fault: AnswerFault) {
        #expect(follow("0\r\n" + text).last == .malformed(fault))
        #expect(follow("0\r\nT: u\r\n" + text, size: 1).last == .malformed(fault))
    }

    @Test func isBounded() {
        let digits = String(repeating: "0", count: ChunkFollower.lineLimit - 1)
        #expect(follow(digits + "1\r\na\r\n").payload == "a")
        #expect(follow(digits + "01\r\n").last == .malformed(.chunkLineTooLong))
        let part = "1;" + String(repeating: "a", count: ChunkFollower.lineLimit)
        #expect(follow(part).last == .malformed(.chunkLineTooLong))
        let trailers = String(repeating: "X: " + String(repeating: "a", count: 1019) + "\r\n", count: 64)
        #expect(follow("0\r\nX: " + trailers.dropFirst(5) + "\r\n").last == .ended)
        #expect(follow("0\r\n" + trailers + "\r\n").last == .malformed(.trailersTooLarge))
        #expect(follow("7fffffffffffffff\r\na").payload == "a")
    }

    @Test func knowsChunkBoundaries() {
        var follower = AnswerFraming(.chunked)
        #expect(follower.isAtChunkBoundary)
        for (text, isAtBoundary) in [
            ("1", false), ("\r\n", false), ("a", false), ("\r", false), ("\n", true), ("0\r\n", false),
        ] {
            var offset = 0
            ByteBuffer(string: text).withUnsafeReadableBytes { bytes in
                while follower.next(bytes, &offset) != .needsMore {}
            }
            #expect(follower.isAtChunkBoundary == isAtBoundary, "\(text.debugDescription)")
        }
        #expect(!AnswerFraming(.untilClose).isAtChunkBoundary)
    }
}
