import Foundation
import JSON
import Testing

@testable import Simulator

@Suite("JSON for a schema")
struct SchemaExampleTests {
    private static func text(_ schema: String) throws -> String {
        try SchemaExample.text(for: JSONReader.read(Array(schema.utf8)))
    }

    @Test(
        "Each keyword is followed",
        arguments: [
            (#"{"type":"string"}"#, #""simulated text""#), ("{}", #""simulated text""#),
            (#"{"type":"string","minLength":16,"maxLength":16}"#, #""simulated text..""#),
            (#"{"type":"string","maxLength":4}"#, #""simu""#), (#"{"enum":["b","a"]}"#, #""b""#),
            (#"{"const":{"b":[1,null],"a":"/"}}"#, #"{"a":"/","b":[1,null]}"#),
            (#"{"type":"string","format":"date"}"#, #""2026-01-10""#),
            (#"{"type":"string","format":"uuid"}"#, #""00000000-0000-4000-8000-000000000000""#),
            (#"{"type":"integer"}"#, "1"), (#"{"type":"number"}"#, "1.5"), (#"{"minimum":2}"#, "2"),
            (#"{"type":"integer","minimum":18,"multipleOf":5}"#, "20"),
            (#"{"type":"integer","exclusiveMaximum":-3}"#, "-4"),
            (#"{"type":"integer","exclusiveMinimum":true,"minimum":7}"#, "8"),
            (#"{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":1}"#, "0.001"),
            (#"{"type":["null","boolean"]}"#, "true"), (#"{"type":"null"}"#, "null"),
            (#"{"type":"array","items":{"type":"integer"},"minItems":3}"#, "[1,2,3]"),
            (
                #"{"type":"array","items":{"type":"string"},"minItems":2,"uniqueItems":true}"#,
                #"["simulated text","simulated text 2"]"#
            ),
            (#"{"type":"array","prefixItems":[{"type":"integer"},{"const":"x"}],"items":false}"#, #"[1,"x"]"#),
            (#"{"type":"object"}"#, "{}"),
            (#"{"type":"object","additionalProperties":{"type":"integer"}}"#, #"{"key 1":1}"#),
            (
                #"{"properties":{"b":{"const":1},"a":{"const":2},"c":{"const":3}},"required":["c","b"]}"#,
                #"{"c":3,"b":1,"a":2}"#
            ),
            (#"{"properties":{"a":{"not":{}},"b":{"const":1}}}"#, #"{"b":1}"#),
            (#"{"anyOf":[{"type":"string","pattern":"(a)\\1"},{"type":"boolean"}]}"#, "true"),
            (#"{"type":"integer","minimum":3,"oneOf":[{"maximum":2},{"maximum":9}]}"#, "3"),
            (#"{"allOf":[{"type":"number","minimum":2},{"type":"integer","minimum":5}],"maximum":5}"#, "5"),
            (#"{"allOf":[{"anyOf":[{"const":1}]},{"anyOf":[{"type":"integer"}]}]}"#, "1"),
            (##"{"$defs":{"a/b":{"enum":["x"]}},"$ref":"#/$defs/a~1b"}"##, #""x""#),
            (#"{"patternProperties":{"^x-[0-9]$":{"type":"null"}},"minProperties":1}"#, #"{"x-1":null}"#),
        ])
    func keywords(schema: String, expected: String) throws { #expect(try Self.text(schema) == expected) }

    @Test(
        "A recursive schema ends", .timeLimit(.minutes(1)),
        arguments: [
            (
                ##"{"properties":{"next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},"required":["next"]}"##,
                #"{"next":{"next":{"next":null}}}"#
            ),
            (
                ##"{"$ref":"#/$defs/n","$defs":{"n":{"properties":{"all":{"type":"array","items":{"$ref":"#/$defs/n"}}}}}}"##,
                #"{"all":[{}]}"#
            ),
        ])
    func recursion(schema: String, expected: String) throws { #expect(try Self.text(schema) == expected) }

    @Test("A schema with a hundred ways into itself ends soon", .timeLimit(.minutes(1)))
    func wide() throws {
        let properties = (0..<100).map { ##""p\##($0)":{"$ref":"#/$defs/\##($0 % 7)"}"## }.joined(separator: ",")
        let definitions = (0..<7).map { #""\#($0)":{"properties":{\#(properties)}}"# }.joined(separator: ",")
        #expect(try Self.text(##"{"$ref":"#/$defs/0","$defs":{\##(definitions)}}"##).utf8.count < 100_000)
    }

    @Test(
        "What cannot be followed is refused", .timeLimit(.minutes(1)),
        arguments: [
            ("false", "allows nothing"), (#"{"enum":[]}"#, "enum"), (#"{"not":{}}"#, "keyword not"),
            (##"{"$ref":"#"}"##, "leads to itself"), (##"{"$ref":"#/$defs/none"}"##, "leads nowhere"),
            (##"{"$ref":"https://example.com/x"}"##, "is not of this schema"),
            (##"{"properties":{"a":{"$ref":"#"}},"required":["a"]}"##, "no end"),
            (#"{"type":"integer","minimum":5,"maximum":4}"#, "no number"),
            (#"{"type":"integer","minimum":9007199254740993}"#, "53 bits"), (#"{"type":"text"}"#, "no type text"),
            (#"{"type":"string","minLength":5,"pattern":"^a$"}"#, "pattern"),
            (#"{"pattern":"(a","type":"string"}"#, "pattern"),
            (#"{"type":"array","items":{"const":1},"minItems":2,"uniqueItems":true}"#, "as many items"),
            (#"{"type":"string","const":"a","allOf":[{"const":"b"}]}"#, "const"),
            (#"{"required":["a"],"additionalProperties":false}"#, "allows nothing"),
        ])
    func refusals(schema: String, reason: String) throws {
        let refusal = #expect(throws: SchemaExample.Unsupported.self) { try Self.text(schema) }
        #expect(refusal?.reason.contains(reason) == true, "\(refusal?.reason ?? "")")
    }

    @Test(
        "A pattern has a match in its string",
        arguments: [
            (#"^[A-Z]{2}-\d{4}$"#, "AA-1111"), (#"^(?:cat|dog)s?$"#, "cat"), (#"^[^a-z]+@x\.(com|org)$"#, "A@x.com"),
            (#"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$"#, "+0"), (#"^\p{Lu}[\w-]{3,}$"#, "Aaaa"), (#"^\u0041\x42$"#, "AB"),
            ("[0-9a-f]{8}", "aaaaaaaa"), (#"\bword\b"#, "word"), ("a{,2}", "a{,2}"), ("", ""),
        ])
    func patterns(pattern: String, expected: String) throws {
        #expect(try PatternExample(pattern).text(lengths: 0...100, from: 0) == expected)
    }

    @Test("A pattern's string has the length that is asked for")
    func lengths() throws {
        #expect(try PatternExample("^[a-z]+(-[0-9]+)*$").text(lengths: 7...9, from: 0).count == 7)
        #expect(throws: SchemaExample.Unsupported.self) { try PatternExample("^(ab)+$").text(lengths: 3...3, from: 0) }
    }
}
