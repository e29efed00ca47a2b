import Foundation
import TestSupport

/// Makes byte strings that are nearly one of some seeds.
struct ByteMutator {
    var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    /// What makes requests hard to read.
    static let pieces: [[UInt8]] = [
        "\r\n", "\n", "\r", "\r\n\r\n", "0\r\n\r\n", "0", "f", ";", "=", "\"", ":", " ", "\t", ",", "\0", "\u{7f}",
        "-1",
        "99999999999999999999", "Content-Length: 5\r\n", "Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n",
        "Connection: close\r\n", "Connection: keep-alive\r\n", "Connection: keep-alive, x\r\n", "Connection: TE\r\n",
        " folded\r\n", "Host: x\r\n", "Host: 127.0.0.1\r\n", "Host:\r\n", "If-None-Match: *\r\n",
        "If-None-Match: \"x\"\r\n", "Authorization: Bearer rc_only-models\r\n", "X-API-Key: rc_expired\r\n",
        "api-key: \t\r\n", "X-Request-Id: a b\r\n", "X-Request-Id: sane\r\n", "Expect: 100-continue\r\n",
        "Origin: http://x.example\r\n", "TE: trailers\r\n", "Upgrade: h2c\r\n", "anthropic-version: 2023-06-01\r\n",
        "HTTP/1.0", "HTTP/1.1", "GET /v1/models HTTP/1.1\r\n", "GET ", "?", "%2F", "/", "{", "}", "[", "\\u0000",
        "\u{e9}",
    ].map { $0.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } }

    mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

    /// One of `seeds` with one to four changes.
    mutating func next(of seeds: [[UInt8]]) -> [UInt8] {
        var bytes = seeds[pick(seeds.count)]
        for _ in 0...pick(4) { change(&bytes, seeds) }
        return bytes.isEmpty ? [0x47] : bytes
    }

    /// The bytes in one to three segments.
    mutating func cut(_ bytes: [UInt8]) -> [[UInt8]] {
        guard bytes.count > 2 else { return [bytes] }
        let places = (0..<pick(3)).map { _ in 1 + pick(bytes.count - 1) }
        let ends = Set(places + [bytes.count]).sorted()
        return zip([0] + ends, ends).map { Array(bytes[$0..<$1]) }
    }

    private mutating func change(_ bytes: inout [UInt8], _ seeds: [[UInt8]]) {
        let place = pick(bytes.count + 1)
        let end = min(bytes.count, place + 1 + pick(8))
        switch pick(9) {
        case 0: bytes.removeSubrange(place..<end)
        case 1: bytes.insert(contentsOf: bytes[place..<end], at: place)
        case 2 where pick(4) == 0: bytes.removeSubrange(place...)
        case 3 where place < bytes.count: bytes[place] = UInt8(truncatingIfNeeded: pick(256))
        case 4 where place < bytes.count: bytes[place] ^= 1 << UInt8(truncatingIfNeeded: pick(8))
        case 5, 6:
            let line = bytes[..<place].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
            bytes.insert(contentsOf: Self.pieces[pick(Self.pieces.count)], at: line)
        case 7:
            let other = seeds[pick(seeds.count)]
            bytes.replaceSubrange(place..., with: other[pick(other.count)...])
        default: bytes.insert(contentsOf: Self.pieces[pick(Self.pieces.count)], at: place)
        }
    }
}

/// How many cases a fuzz test has: ROLLCALL_FUZZ_COUNT, or a slice that a run of all tests can afford.
func fuzzCount(_ slice: Int, share: Int = 1) -> Int {
    ProcessInfo.processInfo.environment["ROLLCALL_FUZZ_COUNT"].flatMap { Int($0) }.map { $0 / share } ?? slice
}
