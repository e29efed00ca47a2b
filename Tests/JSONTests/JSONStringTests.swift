import FoundationEssentials
import Testing

@testable import JSON

@Suite struct JSONStringTests {
    @Test(arguments: [
        ("", ""), ("abc", "abc"), (#"\u0061\/\\\""#, #"a/\""#), (#"\b\f\n\r\t"#, "\u{8}\u{c}\n\r\t"), ("ä€", "ä€"),
        (#"\ud83d\ude00"#, "\u{1F600}"), (#"\uD83D\uDE00x"#, "\u{1F600}x"), (#"\u0000"#, "\0"),
    ])
    func decodesStrings(text: String, meaning: String) {
        #expect(Array(text.utf8).withUnsafeBytes { JSONString.decode($0) } == meaning)
    }

    @Test(arguments: [
        #"\"#, #"\x"#, #"\u12"#, #"\u12g4"#, #"\ud83d"#, #"\ud83dx"#, #"\ud83d\u0041"#, #"\ude00"#, "\n", "\"",
    ])
    func refusesBadStrings(text: String) {
        #expect(Array(text.utf8).withUnsafeBytes { JSONString.decode($0) } == nil)
    }

    @Test func refusesBytesThatAreNotUTF8() {
        #expect([UInt8]([0xFF, 0x41]).withUnsafeBytes { JSONString.decode($0) } == nil)
    }

    @Test func encodesWhatItDecodes() throws {
        for text in ["", "a/b", "\"\\\n\u{1}\u{1F600}ä"] {
            let encoded = JSONString.encode(text)
            #expect(try JSONDecoder().decode([String].self, from: Data("[".utf8 + encoded + "]".utf8)) == [text])
        }
    }

    @Test(arguments: [
        ("", "\"\""), ("a/b", "\"a/b\""), ("\"\\", #""\"\\""#), ("\u{8}\t\n\u{C}\r", #""\b\t\n\f\r""#),
        ("\u{0}\u{1}\u{1F}\u{7F}", "\"\\u0000\\u0001\\u001f\u{7F}\""), ("e\u{301}\u{1F600}", "\"e\u{301}\u{1F600}\""),
        ("one \"run\" and\nanother", #""one \"run\" and\nanother""#),
    ])
    func escapesOnlyWhatMustBe(text: String, expected: String) throws {
        let encoded = JSONString.encode(text)
        #expect(encoded == Array(expected.utf8))
        let read = try JSONDecoder().decode(String.self, from: Data(encoded))
        #expect(Array(read.utf8) == Array(text.utf8))
        #expect(
            Array(try #require(encoded.dropFirst().dropLast().withUnsafeBytes { JSONString.decode($0) }).utf8)
                == Array(text.utf8))
    }

    @Test func hidesWhatItIsAskedToHide() throws {
        var bytes: [UInt8] = []
        JSONString.append("a\u{202E}\u{1F600}ä\n\"", to: &bytes) { $0.value == 0x202E || $0.value > 0xFFFF }
        #expect(String(decoding: bytes, as: UTF8.self) == #""a\u202e\ud83d\ude00ä\n\"""#)
        #expect(try JSONDecoder().decode(String.self, from: Data(bytes)) == "a\u{202E}\u{1F600}ä\n\"")
    }
}
