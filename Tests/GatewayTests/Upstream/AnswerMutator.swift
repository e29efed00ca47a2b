import NIOCore
import TestSupport

/// Makes answers that are nearly right out of answers that are right.
struct AnswerMutator {
    private var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    private static let event = "data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n"
    private static let events = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    private static let json = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

    static let seeds: [[UInt8]] = [
        events + "Transfer-Encoding: chunked\r\n\r\n" + asChunk(event) + asChunk(": ping\n\n") + asChunk(event)
            + "0\r\n\r\n",
        events + "transfer-encoding: Chunked \r\n\r\n" + asChunk("data: a\r\n\r\ndata: b\r") + asChunk("\r")
            + "0\r\n\r\n",
        events + "Transfer-Encoding: chunked\r\n\r\n" + asChunk("event: x\ndata: ") + asChunk("y\n\ndata: z")
            + asChunk("\n\n") + "0\r\nX-Trailer: v\r\nY:\r\n\r\n",
        events + "Connection: close\r\n\r\n" + event + event + "data: [DONE]\n\n",
        events + "Content-Length: \(event.utf8.count * 2)\r\n\r\n" + event + event,
        events + "Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n" + asChunk("\u{1}\u{2}") + "0\r\n\r\n",
        json + "Content-Length: 11\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5, max=100\r\n\r\n{\"a\":\"bcd\"}",
        json + "Transfer-Encoding: chunked\r\n\r\n5;a=b;c=\"d\\\"e\";f\r\n{\"a\":\r\n00A\r\n0123456789\r\n"
            + "0;x\r\nT: u\r\n\r\n",
        json + "\r\n{\"until\":\"close\"}",
        "HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + event + event,
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length:3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\n{}",
        "HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n",
        "HTTP/1.1 304\r\nContent-Length: 10\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + json
            + "Content-Length: 2\r\n\r\n{}",
        "HTTP/1.1 500 Internal Server Error\r\nX-Empty:\r\nX-N: caf\u{e9}\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 429 \r\nRetry-After:\t 7 \t\r\nContent-Length: 2 \r\nX: a,b\r\n\r\n{}{}",
    ].map { Array($0.utf8) }

    private static let pieces: [[UInt8]] = [
        "\r\n", "\n", "\r", "\r\n\r\n", "\n\n", "0\r\n\r\n", "0", "f", ";", ";a=b", "=", "\"", ":", " ", "\t", ",",
        "\0",
        "\u{7f}", "\u{80}", "-1", "99999999999999999999", "7fffffffffffffff", "Content-Length: 5\r\n",
        "Content-Length: 2\r\n", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip, chunked\r\n",
        "Connection: close\r\n", " folded\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\n", "data: x\n\n",
        "chunked", "identity", "1", "9", "/",
    ].map { Array($0.utf8) }

    /// One seed with none to four changes.
    mutating func next() -> [UInt8] {
        var bytes = Self.seeds[pick(Self.seeds.count)]
        for _ in 0..<pick(5) { change(&bytes) }
        return bytes
    }

    /// The bytes in reads: all at once, byte by byte, or cut anywhere.
    mutating func cut(_ bytes: [UInt8]) -> [ByteBuffer] {
        let largest = [bytes.count, 1, 3, 40, 200][pick(5)]
        var (reads, start): ([ByteBuffer], Int) = ([], 0)
        while start < bytes.count {
            let end = min(bytes.count, start + 1 + (largest == bytes.count ? largest : pick(largest)))
            reads.append(ByteBuffer(bytes: bytes[start..<end]))
            start = end
        }
        return reads
    }

    mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

    private mutating func change(_ bytes: inout [UInt8]) {
        let place = pick(bytes.count + 1)
        let end = min(bytes.count, place + 1 + pick(8))
        switch pick(9) {
        case 0: bytes.removeSubrange(place..<end)
        case 1: bytes.insert(contentsOf: bytes[place..<end], at: place)
        case 2: bytes.removeSubrange(place...)
        case 3 where place < bytes.count: bytes[place] = UInt8(truncatingIfNeeded: pick(256))
        case 4 where place < bytes.count: bytes[place] ^= 1 << UInt8(truncatingIfNeeded: pick(8))
        case 5:
            let piece = Self.pieces[pick(Self.pieces.count)]
            bytes.insert(contentsOf: piece, at: lineStart(before: place, in: bytes))
        case 6:
            let other = Self.seeds[pick(Self.seeds.count)]
            bytes.replaceSubrange(place..., with: other[pick(other.count)...])
        default: bytes.insert(contentsOf: Self.pieces[pick(Self.pieces.count)], at: place)
        }
        if bytes.isEmpty { bytes = [UInt8(ascii: "H")] }
    }

    private func lineStart(before place: Int, in bytes: [UInt8]) -> Int {
        bytes[..<place].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    }
}
