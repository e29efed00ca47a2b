import Testing

@testable import JSON

struct JSONReaderTests {
    func read(_ text: String) throws(JSONProblem) -> JSONValue { try JSONReader.read(Array(text.utf8)) }

    @Test func readsEveryKindOfValue() throws {
        let value = try read(#" {"a":[1,-2.5e1,true,false,null,"x\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é"],"b":{}} "#)
        #expect(
            value["a"].array == [
                .integer(1), .number(-25), .bool(true), .bool(false), .null,
                .string("x\"\\/\u{8}\u{C}\n\r\té😀é"),
            ])
        #expect(value["b"].isObject == true)
    }

    @Test(arguments: [
        "01", "1.", ".5", "+1", "1e", "tru", "nul", "'a'", "{a:1}", "[1,]", "{\"a\":1,}", "[1 2]", "\"\\x\"",
        "\"\u{1}\"",
        "{\"a\" 1}", "NaN", "-", "1 1", "\"\\u12g4\"", "",
    ])
    func refusesWhatIsNotJSON(_ text: String) {
        #expect(throws: JSONProblem.self) { try read(text) }
    }

    /// The kind of problem, and the byte where it was noticed.
    private func problem(_ text: String) -> JSONProblem? {
        do throws(JSONProblem) {
            _ = try read(text)
            return nil
        } catch {
            return error
        }
    }

    @Test func tellsTruncatedFromBroken() {
        for text in [
            "[", "{\"a\"", "{\"a\":", "\"abc", "\"abc\\", "\"\\ud83d", "tr", "-", "1.", "", " ", "[1,", "{\"a\":1",
        ] {
            #expect(problem(text)?.kind == .truncated, "\(text)")
        }
        #expect(problem("[}") == JSONProblem(.malformed, at: 1))
        #expect(problem(#"{"a":"\x"}"#) == JSONProblem(.malformed, at: 6))
        #expect(problem(#"{"a":01}"#) == JSONProblem(.malformed, at: 5))
        #expect(problem("[1] 2") == JSONProblem(.malformed, at: 4))
    }

    @Test func refusesBytesThatAreNotUTF8() {
        #expect(throws: JSONProblem.self) { try JSONReader.read([0x22, 0xFF, 0x22]) }
        #expect(throws: JSONProblem.self) { try JSONReader.read([0x22, 0x5C, 0x6E, 0xC3, 0x28, 0x22]) }
    }

    @Test func halfASurrogatePairIsNotAText() throws {
        #expect(try read(#"["\ud83d","\ude00","\ud83dx","\ud83d\u0041"]"#).array == [.null, .null, .null, .null])
    }

    @Test func ofAKeyThatOccursTwiceTheLastCounts() throws {
        let value = try read(#"{"a":1,"b":2,"a":3,"\ud800":4}"#)
        #expect(value["a"] == .integer(3) && value.object == ["b": .integer(2), "a": .integer(3)])
        #expect(value["c"] == .null && value["a"]["b"] == .null)
    }

    @Test func aByteOrderMarkIsAllowedOnce() {
        #expect(problem("\u{FEFF} {}") == nil)
        #expect(problem("\u{FEFF}\u{FEFF}{}") == JSONProblem(.malformed, at: 3))
    }

    @Test func numbersKeepTheirValue() throws {
        let numbers: [(String, JSONValue)] = [
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .number(9_223_372_036_854_775_808)), ("-0", .integer(0)), ("1e2", .number(100)),
            ("1e400", .number(.infinity)), ("-1e400", .number(-.infinity)), ("1e-400", .number(0)),
        ]
        for (text, value) in numbers { #expect(try read(text) == value, "\(text)") }
    }

    @Test func deepNestingIsRefusedNotFollowed() {
        let most = JSONCursor.maximumDepth
        let deep = String(repeating: "[", count: 200_000)
        #expect(problem(deep) == JSONProblem(.tooDeep, at: most))
        #expect(problem(String(repeating: "[", count: most) + String(repeating: "]", count: most)) == nil)
    }
}
