import Testing

@testable import Poller

struct JSONReaderTests {
    func read(_ text: String) throws(JSONProblem) -> JSONValue { try JSONReader.read(Array(text.utf8)) }

    @Test func readsEveryKindOfValue() throws {
        let value = try read(#" {"a":[1,-2.5e1,true,false,null,"x\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é"],"b":{}} "#)
        #expect(
            value["a"]?.array == [
                .integer(1), .real(-25), .bool(true), .bool(false), .null,
                .string("x\"\\/\u{8}\u{C}\n\r\té😀é"),
            ])
        #expect(value["b"]?.isObject == true)
    }

    @Test(arguments: [
        "01", "1.", ".5", "+1", "1e", "tru", "nul", "'a'", "{a:1}", "[1,]", "{\"a\":1,}", "[1 2]", "\"\\x\"",
        "\"\u{1}\"",
        "{\"a\" 1}", "NaN", "-", "1 1", "\"\\u12g4\"", "",
    ])
    func refusesWhatIsNotJSON(_ text: String) {
        #expect(throws: JSONProblem.self) { try read(text) }
    }

    @Test func tellsTruncatedFromBroken() {
        for text in ["[", "{\"a\"", "{\"a\":", "\"abc", "\"abc\\", "\"\\ud83d", "tr", "-", "1."] {
            #expect(throws: JSONProblem.truncated) { try read(text) }
        }
        #expect(throws: JSONProblem.malformed(at: 1)) { try read("[}") }
    }

    @Test func refusesBytesThatAreNotUTF8() {
        #expect(throws: JSONProblem.self) { try JSONReader.read([0x22, 0xFF, 0x22]) }
        #expect(throws: JSONProblem.self) { try JSONReader.read([0x22, 0x5C, 0x6E, 0xC3, 0x28, 0x22]) }
    }

    @Test func halfASurrogatePairIsNotAText() throws {
        #expect(try read(#"["\ud83d","\ude00","\ud83dx","\ud83d\u0041"]"#).array == [.null, .null, .null, .null])
    }

    @Test func deepNestingIsRefusedNotFollowed() {
        let deep = String(repeating: "[", count: 200_000)
        #expect(throws: JSONProblem.malformed(at: JSONReader.maximumDepth + 1)) { try read(deep) }
    }
}
