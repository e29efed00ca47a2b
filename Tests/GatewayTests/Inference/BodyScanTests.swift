import Catalog
import Foundation
import JSON
import NIOCore
import Testing

@testable import Gateway

@Suite struct BodyScanTests {
    /// What Foundation takes, this takes and reads alike; what this refuses, Foundation refuses. `model` given twice is
    /// the exception: that is refused here.
    @Test(arguments: 0..<8) func agreesWithFoundation(seed: UInt64) throws {
        var generator = SmallGenerator(state: seed &+ 1)
        for _ in 0..<1500 {
            var text = Array(JSONMaker.object(&generator).utf8)
            for _ in 0..<Int.random(in: 0...2, using: &generator) { JSONMaker.damage(&text, &generator) }
            let judged = (try? JSONSerialization.jsonObject(with: Data(text))) as? [String: Any]
            do {
                let body = try InferenceBody(json: ByteBuffer(bytes: text))
                guard let judged else { continue }
                #expect(judged["model"] as? String == body.model, "\(String(decoding: text, as: UTF8.self))")
                #expect((judged["stream"] as? Bool ?? false) == body.streams || judged["stream"] is NSNumber)
            } catch let failure {
                let code = failure.error.code
                guard let judged, code != "duplicate_field" else { continue }
                let shown = String(decoding: text, as: UTF8.self)
                // Foundation takes a comma behind the last member, which RFC 8259 does not have.
                let hasTrailingComma = shown.filter { !$0.isWhitespace }.contains(",}")
                #expect(code != "invalid_json" || hasTrailingComma, "refused: \(shown)")
                if code == "model_required" {
                    #expect(judged["model"] == nil || judged["model"] is NSNull || judged["model"] as? String == "")
                }
                if code == "invalid_type" { #expect(!(judged["model"] is String), "\(shown)") }
            }
        }
    }

    /// A body of 20 MB with an image in it: the model at once, the whole at the speed of memory.
    @Test func largeBodies() throws {
        let image = String(repeating: "QUJDREVG", count: 20 << 17)
        let text = Array(
            #"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,\#(image)"}}]}],"stream":true}"#
                .utf8)
        let body = ByteBuffer(bytes: text)
        let clock = ContinuousClock()
        var length: Int?
        let first = try clock.measure {
            length = try text.withUnsafeBytes { buffer in
                var scanner = JSONKeyScanner(buffer)
                return try scanner.next()?.value.count
            }
        }
        #expect(length == 3)
        #expect(first < .milliseconds(1))
        var found: InferenceBody?
        let whole = try clock.measure { found = try InferenceBody(json: body) }
        #expect(found?.model == "m" && found?.streams == true)
        print("scan: model after \(first), \(text.count) bytes after \(whole)")
        #expect(whole < .milliseconds(200))
    }
}

struct SmallGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

/// Random JSON, with the keys that matter among others.
private enum JSONMaker {
    static func object(_ generator: inout SmallGenerator) -> String {
        let members = (0..<Int.random(in: 0...5, using: &generator)).map { _ in
            space(&generator) + key(&generator) + space(&generator) + ":" + space(&generator)
                + value(&generator, depth: 0) + space(&generator)
        }
        return space(&generator) + "{" + members.joined(separator: ",") + space(&generator) + "}" + space(&generator)
    }

    private static func key(_ generator: inout SmallGenerator) -> String {
        let keys = [
            #""model""#, #""model""#, #""mod\u0065l""#, #""stream""#, #""user""#, #""Model""#, #""a\"b""#, #""\\""#,
            #""""#, #""messages""#,
        ]
        return keys.randomElement(using: &generator)!
    }

    private static func value(_ generator: inout SmallGenerator, depth: Int) -> String {
        switch Int.random(in: 0...(depth > 3 ? 5 : 8), using: &generator) {
        case 0: return ["true", "false", "null"].randomElement(using: &generator)!
        case 1: return ["0", "-1", "1.5", "-0.25e-3", "1E9", "12345678"].randomElement(using: &generator)!
        case 2...5: return text(&generator)
        case 6:
            return "["
                + (0..<Int.random(in: 0...3, using: &generator)).map { _ in value(&generator, depth: depth + 1) }
                .joined(separator: ", ") + "]"
        default:
            return "{"
                + (0..<Int.random(in: 0...3, using: &generator)).map { number in
                    "\"k\(number)\" :" + value(&generator, depth: depth + 1)
                }.joined(separator: ",") + "}"
        }
    }

    private static func text(_ generator: inout SmallGenerator) -> String {
        let parts = [
            "a", "model", #"\""#, #"\\"#, #"\n"#, #"\u00e4"#, #"\ud83d\ude00"#, "ä", "{", "}", "[", "]", ":", ",", " ",
        ]
        return "\""
            + (0..<Int.random(in: 0...6, using: &generator)).map { _ in parts.randomElement(using: &generator)! }
            .joined() + "\""
    }

    private static func space(_ generator: inout SmallGenerator) -> String {
        ["", "", "", " ", "\n\t", "\r\n  "].randomElement(using: &generator)!
    }

    static func damage(_ text: inout [UInt8], _ generator: inout SmallGenerator) {
        guard !text.isEmpty else { return }
        let index = Int.random(in: text.indices, using: &generator)
        switch Int.random(in: 0...3, using: &generator) {
        case 0: text.remove(at: index)
        case 1: text[index] = Array(#"{}[]",:\0 tn"#.utf8).randomElement(using: &generator)!
        case 2: text.insert(Array(#"{}[]",:\1 e"#.utf8).randomElement(using: &generator)!, at: index)
        default: text.removeLast(min(text.count, Int.random(in: 1...4, using: &generator)))
        }
    }
}
