import JSON
import Testing

@Suite struct JSONKeyScannerTests {
    /// Keys as they stand, and values.
    private func members(_ text: [UInt8]) throws -> [(key: String, value: String)] {
        try text.withUnsafeBytes { buffer in
            var scanner = JSONKeyScanner(buffer)
            var members: [(String, String)] = []
            while let member = try scanner.next() {
                members.append(
                    (
                        String(decoding: buffer[member.key], as: UTF8.self),
                        String(decoding: buffer[member.value], as: UTF8.self)
                    ))
            }
            return members
        }
    }

    private func isMalformed(_ text: String) -> Bool {
        do {
            _ = try members(Array(text.utf8))
            return false
        } catch {
            return error is JSONProblem
        }
    }

    @Test func findsKeysAndPlaces() throws {
        let text = """
             { "model" : "a\\"b" ,"n":-1.5e+3,
            "deep":{"model":"no","x":[{"y":"]}"},"\\\\"]} ,"t":true,"":null,"e":[],"o":{} }\u{20}
            """
        let found = try members(Array(text.utf8))
        #expect(found.map(\.key) == ["model", "n", "deep", "t", "", "e", "o"])
        #expect(
            found.map(\.value) == [
                #""a\"b""#, "-1.5e+3", #"{"model":"no","x":[{"y":"]}"},"\\"]}"#, "true", "null", "[]", "{}",
            ])
        #expect(try members(Array("{}".utf8)).isEmpty)
    }

    @Test(arguments: [
        "", " ", "[]", "\"a\"", "null", "1", "{", "}", "{}}", "{} x", "{,}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#,
        #"{"a":1 "b":2}"#, #"{a:1}"#, #"{'a':1}"#, #"{"a":1"#, #"{"a":"x"#, #"{"a":"x\"}"#, #"{"a":[}"#, #"{"a":[1}}"#,
        #"{"a":{]}"#, #"{"a":[1,2}"#, #"{"a":01}"#, #"{"a":+1}"#, #"{"a":1.}"#, #"{"a":.5}"#, #"{"a":1e}"#, #"{"a":-}"#,
        #"{"a":tru}"#, #"{"a":True}"#, #"{"a":nul}"#, #"{"a":NaN}"#, #"{"a":1/*c*/}"#, #"{"a":[1//c"# + "\n]}",
        "\u{FEFF}{}", #"{"a":[undefined]}"#, #"{"a":{b:1}}"#,
    ])
    func refusesWhatIsNotAnObject(text: String) { #expect(isMalformed(text)) }

    @Test func walksOverAnArray() throws {
        func elements(_ text: String) throws -> [String] {
            try Array(text.utf8).withUnsafeBytes { buffer in
                var scanner = JSONKeyScanner(buffer)
                var elements: [String] = []
                while let element = try scanner.nextElement() {
                    elements.append(String(decoding: buffer[element], as: UTF8.self))
                }
                return elements
            }
        }
        let found = try elements(#" [ 1 ,"a,]",{"b":[2,3]} , [],null] "#)
        #expect(found == ["1", #""a,]""#, #"{"b":[2,3]}"#, "[]", "null"])
        #expect(try elements("[]").isEmpty)
        for text in ["", "{}", "[", "]", "[1", "[1,]", "[,1]", "[1 2]", "[1}", "[1] x", "[tru]"] {
            #expect(throws: JSONProblem.self) { try elements(text) }
        }
    }

    @Test func depthIsBounded() {
        func nested(_ depth: Int) -> String {
            #"{"a":"# + String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1) + "}"
        }
        #expect(!isMalformed(nested(JSONCursor.maximumDepth)))
        #expect(isMalformed(nested(JSONCursor.maximumDepth + 1)))
        #expect(isMalformed(nested(1_000_000)))
    }
}
