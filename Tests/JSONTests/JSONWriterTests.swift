import JSON
import Testing

@Suite struct JSONWriterTests {
    @Test func fieldsInTheOrderGiven() {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("text", "a\"b")
            writer.field("none", nil as String?)
            writer.fieldIfKnown("unknown", nil as Int64?)
            writer.field("number", 7)
            writer.field("flag", true)
            writer.field("texts", texts: ["x", "y"])
            writer.field("labels", texts: ["b": "2", "a": "1"])
            writer.field("object", object: 5) { $0.field("five", $1) }
            writer.field("objects", objects: [1, 2]) { $0.field("n", $1) }
            writer.field("encoded", encoded: [Array("{}".utf8), Array("3".utf8)])
            writer.field("written") { $0.array { _ in } }
            writer.key("k\n")
            writer.value(1.5)
        }
        #expect(
            writer.text
                == #"{"text":"a\"b","none":null,"number":7,"flag":true,"texts":["x","y"],"labels":{"a":"1","b":"2"},"#
                + #""object":{"five":5},"objects":[{"n":1},{"n":2}],"encoded":[{},3],"written":[],"k\n":1.5}"#)
    }

    @Test func valuesWithSortedKeys() throws {
        let value: JSONValue = .object([
            "b": .array([.null, .bool(false), .number(.infinity), .number(0.5), .object([:])]), "a": .string("ä/"),
            "Z": .integer(-1),
        ])
        var writer = JSONWriter()
        writer.value(value)
        #expect(writer.text == #"{"Z":-1,"a":"ä/","b":[null,false,null,0.5,{}]}"#)
    }
}
