import Catalog
import HTTPTypes
import NIOCore
import Testing

@testable import Gateway

/// JSON bodies of inference: what is taken, what is refused, and what goes on.
@Suite struct InferenceJSONTests {
    private static func body(_ text: [UInt8]) throws(HTTPFailure) -> InferenceBody {
        try InferenceBody(json: ByteBuffer(bytes: text))
    }

    private static func body(_ text: String) throws(HTTPFailure) -> InferenceBody { try body(Array(text.utf8)) }

    private static func code(_ text: [UInt8]) -> String {
        do throws(HTTPFailure) { return try "runs " + body(text).model } catch { return error.error.code }
    }

    @Test(arguments: [
        ("", "invalid_json"), ("{", "invalid_json"), ("[]", "invalid_json"), ("{}", "model_required"),
        (#"{"model":""}"#, "model_required"), (#"{"model":null}"#, "model_required"), (#"{"model":5}"#, "invalid_type"),
        (#"{"model":["m"]}"#, "invalid_type"), (#"{"model":"m"}x"#, "invalid_json"),
        (#"{"model":"m","model":"m"}"#, "duplicate_field"), (#"{"model":"m","mod\u0065l":"o"}"#, "duplicate_field"),
        (#"{"model":null,"model":"m"}"#, "duplicate_field"), (#"{"model":"m","Model":null}"#, "duplicate_field"),
        (#"{"MODEL":"m"}"#, "invalid_field"), (#"{"mode\u004c":"m","a":1}"#, "invalid_field"),
        (#"{"model\u0000x":"m"}"#, "invalid_field"), (#"{"model":"\ud800"}"#, "invalid_type"),
        (#"{"model":"m","mod\el":"o"}"#, "invalid_json"), (#"{"mod\u0065l":"m"}"#, "runs m"),
        (#"{"model":"\u006d\/x"}"#, "runs m/x"), (#"{"model":"m","modell":"o","mode":"o","odel":"o"}"#, "runs m"),
        (#"{"model":"m","moﬀdel":1,"ſtream":true,"\u212a":2}"#, "runs m"),
    ])
    func outcomes(text: String, outcome: String) { #expect(Self.code(Array(text.utf8)) == outcome) }

    /// Ways to hide a second name, each with a reader that falls for it in `ReaderAgreementTests`.
    static let hidden: [(name: String, body: [UInt8], outcome: String)] = [
        ("MODEL_behind", #"{"model":"cheap","MODEL":"expensive"}"#, "duplicate_field"),
        ("MODEL_before", #"{"MODEL":"expensive","model":"cheap"}"#, "duplicate_field"),
        ("Model_behind", #"{"model":"cheap","Model":"expensive"}"#, "duplicate_field"),
        ("mOdEl_escaped", #"{"model":"cheap","\u004dodel":"expensive"}"#, "duplicate_field"),
        ("escape_same", #"{"model":"cheap","mod\u0065l":"expensive"}"#, "duplicate_field"),
        ("twice", #"{"model":"cheap","model":"expensive"}"#, "duplicate_field"),
        ("only_Model", #"{"Model":"expensive"}"#, "invalid_field"),
        ("nul_in_key", #"{"model":"cheap","model\u0000":"expensive"}"#, "duplicate_field"),
        ("raw_nul_key", "{\"model\":\"cheap\",\"model\0\":\"expensive\"}", "invalid_json"),
        ("space_in_key", #"{"model":"cheap"," model":"expensive"}"#, "runs cheap"),
        ("nested_first", #"{"x":{"model":"expensive"},"model":"cheap"}"#, "runs cheap"),
        ("nested_twice", #"{"model":"cheap","x":{"model":"expensive","model":"expensive"}}"#, "runs cheap"),
        ("long_escapes", #"{"model":"cheap","\u006d\u006f\u0064\u0065\u006c":"expensive"}"#, "duplicate_field"),
        ("cut_value", #"{"model":"cheap\u0000expensive"}"#, "invalid_model"),
        ("null_then_name", #"{"model":null,"MODEL":"expensive"}"#, "duplicate_field"),
        ("comment_hides", #"{"model":"cheap"/*,"model":"x"*/,"model":"expensive"}"#, "invalid_json"),
        ("single_quotes", #"{'model':'expensive',"model":"cheap"}"#, "invalid_json"),
        ("behind_the_end", #"{"model":"cheap"}{"model":"expensive"}"#, "invalid_json"),
        ("bom", "\u{FEFF}{\"model\":\"expensive\"}", "runs expensive"),
        ("fullwidth", #"{"model":"cheap","ｍodel":"expensive"}"#, "runs cheap"),
        ("model_object", #"{"model":{"model":"expensive"},"MODEL":"expensive"}"#, "duplicate_field"),
    ].map { ($0.0, Array($0.1.utf8), $0.2) }

    @Test func hiddenNames() {
        for (name, body, outcome) in Self.hidden { #expect(Self.code(body) == outcome, "\(name)") }
        let overlong = Array(#"{"model":"cheap","mod"#.utf8) + [0xC0, 0xA5] + Array(#"l":"expensive"}"#.utf8)
        #expect(Self.code(overlong) == "invalid_json")
    }

    @Test func aMarkIsCutOff() throws {
        let text = #"{"model":"m","a":1}"#
        let body = try Self.body("\u{FEFF}" + text)
        #expect(String(buffer: body.bytes) == text && body.contentLength(naming: ModelID("m")) == text.utf8.count)
        // A digest of what the client sent does not hold for what goes on.
        #expect(body.isChanged(naming: ModelID("m")))
        #expect(try !Self.body(text).isChanged(naming: ModelID("m")))
        #expect(body.pieces(naming: ModelID("n")).map { String(buffer: $0) }.joined() == #"{"model":"n","a":1}"#)
        #expect(Self.code(Array("\u{FEFF}\u{FEFF}{\"model\":\"m\"}".utf8)) == "invalid_json")
    }

    /// Offsets count from the first byte that the client sent.
    @Test(arguments: [
        (Array("{\"model\":\"m\"}x".utf8), "see byte 13."), (Array("\u{FEFF}{\"model\":\"m\"}x".utf8), "see byte 16."),
        (Array("\u{FEFF}{\"a\u{1}\":\"m\"}".utf8), "byte 5."),
        ([0xFF, 0xFE, 0x7B, 0x00], "byte order mark; see byte 0."), ([0xFE, 0xFF, 0x00, 0x7B], "byte order mark"),
        ([0x00, 0x00, 0xFE, 0xFF], "byte order mark"), ([0x7B, 0x00, 0x22, 0x00], "UTF-16"),
    ])
    func messages(text: [UInt8], message: String) throws {
        let failure = try #require(throws: HTTPFailure.self) { try Self.body(text) }
        #expect(failure.status == .badRequest && failure.error.code == "invalid_json")
        #expect(failure.error.message.contains(message), "\(failure.error.message)")
    }

    @Test func lengthsOfModelsAndKeys() throws {
        func body(_ model: String) -> [UInt8] { Array("{\"model\":\"\(model)\"}".utf8) }
        let longest = String(repeating: "m", count: 1024)
        #expect(Self.code(body(longest)) == "runs \(longest)")
        #expect(Self.code(body(longest + "m")) == "invalid_model")
        #expect(Self.code(body(String(repeating: "\\u006d", count: 1024))) == "runs \(longest)")
        #expect(Self.code(body(String(repeating: "m", count: 1 << 20))) == "invalid_model")
        #expect(Self.code(body("m\\n")) == "invalid_model" && Self.code(body("m\u{7F}")) == "invalid_model")
        let key = String(repeating: "k", count: 1024)
        #expect(Self.code(Array("{\"\(key)\":1,\"model\":\"m\"}".utf8)) == "runs m")
        #expect(Self.code(Array("{\"\(key)k\":1,\"model\":\"m\"}".utf8)) == "invalid_field")
    }

    @Test func whatRoutingReads() throws {
        let body = try Self.body(#"{"stream":true,"prompt_cache_key":"k","user":"u","model":"m"}"#)
        #expect(body.streams && body.cacheKey == StickyKey("k") && body.user == StickyKey("u"))
        #expect(body.sticky(sessionID: "s") == StickyKey("k"))
        let user = try Self.body(#"{"stream":"true","prompt_cache_key":"","user":"u","model":"m"}"#)
        #expect(!user.streams && user.cacheKey == nil)
        #expect(user.sticky(sessionID: "s") == StickyKey("s") && user.sticky(sessionID: nil) == StickyKey("u"))
        let none = try Self.body(#"{"user":5,"prompt_cache_key":null,"model":"m"}"#)
        #expect(none.sticky(sessionID: "") == nil)
    }

    @Test(arguments: [
        ("", true), (#""store":false"#, false), (#""store":true"#, true), (#""store":null"#, true),
        (#""store":false,"store":true"#, true), (#""store":true,"store":false"#, true),
        (#""store":false,"background":true"#, true), (#""store":false,"background":false"#, false),
        (#""store":false,"background":null"#, false), (#""background":1,"store":false"#, true),
    ])
    func storedState(members: String, isUsed: Bool) throws {
        let body = try Self.body("{\"model\":\"m\"\(members.isEmpty ? "" : "," + members)}")
        #expect(body.usesStoredState == isUsed)
        #expect(InferencePath("/v1/responses")?.mayRepeatAfterSilence(body) == !isUsed)
    }

    @Test func previousResponses() throws {
        func id(_ value: String) throws -> String? {
            try Self.body("{\"model\":\"m\",\"previous_response_id\":\(value)}").previousResponseID
        }
        #expect(try id("\"resp_1\"") == "resp_1" && id("null") == nil && id("7") == nil)
        let longest = String(repeating: "r", count: 256)
        #expect(try id("\"\(longest)\"") == longest && id("\"\(longest)r\"") == nil)
    }

    /// What is hashed of a text is bounded, however long the text is.
    @Test func aLongUserCostsItsFirstBytes() throws {
        let counter = CountedBytes(count: 1 << 20)
        let key = StickyKey(counter)
        #expect(counter.reads.value <= 1100)
        let user = String(repeating: "u", count: 60 << 20)
        #expect(key == StickyKey(String(repeating: "u", count: 1024)))
        let body = try Self.body("{\"model\":\"m\",\"user\":\"\(user)\",\"prompt_cache_key\":\"\(user)\"}")
        #expect(body.user == key && body.cacheKey == key)
        #expect(StickyKey("u") != key && StickyKey("a") != StickyKey("b"))
    }

    @Test func anotherNameTakesTheModelsPlace() throws {
        let text = #"{"a":1, "model": "org\/some-model" ,"b":[2]}"#
        let buffer = ByteBuffer(string: "skipped" + text)
        var sent = buffer
        sent.moveReaderIndex(forwardBy: 7)
        let body = try InferenceBody(json: sent)
        #expect(body.pieces(naming: ModelID("org/some-model")).map { String(buffer: $0) } == [text])
        for name in ["hf.co/Org:Q4", "m", "a \"quoted\" \\ näme"] {
            let pieces = body.pieces(naming: ModelID(name))
            let whole = pieces.map { String(buffer: $0) }.joined()
            #expect(body.isChanged(naming: ModelID(name)) && pieces.allSatisfy { $0.readableBytes > 0 })
            #expect(body.contentLength(naming: ModelID(name)) == whole.utf8.count)
            #expect(whole.hasPrefix(#"{"a":1, "model": "#) && whole.hasSuffix(#" ,"b":[2]}"#))
            #expect(try Self.body(whole).model == name)
            // The bytes around the name are the client's own, not copies.
            #expect(
                pieces.first?.sharesStorage(with: buffer) == true && pieces.last?.sharesStorage(with: buffer) == true)
        }
        // Equal as text and different as bytes.
        let composed = try Self.body("{\"model\":\"\u{E9}\"}")
        #expect(composed.isChanged(naming: ModelID("e\u{301}")))
    }
}

extension ByteBuffer {
    func sharesStorage(with other: ByteBuffer) -> Bool {
        withVeryUnsafeBytes { mine in
            other.withVeryUnsafeBytes { others in
                guard let own = mine.baseAddress, let start = others.baseAddress else { return false }
                return own >= start && own < start + others.count
            }
        }
    }
}

/// Counts how often it is read.
private struct CountedBytes: Collection {
    final class Reads { var value = 0 }

    let count: Int
    let reads = Reads()
    var startIndex: Int { 0 }
    var endIndex: Int { count }
    func index(after index: Int) -> Int { index + 1 }
    subscript(index: Int) -> UInt8 {
        reads.value += 1
        return UInt8(ascii: "u")
    }
}
