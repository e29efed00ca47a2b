/// Writes JSON by hand, fields in the order given: for answers of a thousand records, where an encoder takes a tenth of
/// a second, and where the bytes must be the same everywhere.
package struct JSONWriter {
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false
    private let isHidden: ((Unicode.Scalar) -> Bool)?

    /// - Parameter isHidden: which scalars beyond ASCII are escaped as well, in texts for people's eyes; nil for none
    package init(hiding isHidden: ((Unicode.Scalar) -> Bool)? = nil) { self.isHidden = isHidden }

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Makes room for so many bytes more.
    package mutating func reserve(_ count: Int) { bytes.reserveCapacity(bytes.count + count) }

    package mutating func object(_ fields: (inout JSONWriter) -> Void) {
        open(UInt8(ascii: "{"))
        fields(&self)
        close(UInt8(ascii: "}"))
    }

    package mutating func array(_ elements: (inout JSONWriter) -> Void) {
        open(UInt8(ascii: "["))
        elements(&self)
        close(UInt8(ascii: "]"))
    }

    /// The key of the value that is written next.
    package mutating func key(_ name: String) {
        value(name)
        colon()
    }

    package mutating func value(_ text: String?) {
        guard let text else { return word("null") }
        separate()
        if let isHidden {
            JSONString.append(text, to: &bytes, hiding: isHidden)
        } else {
            JSONString.append(text, to: &bytes)
        }
    }

    package mutating func value(_ number: Int64?) {
        guard let number else { return word("null") }
        separate()
        bytes.append(contentsOf: String(number).utf8)
    }

    /// JSON has no infinity and no NaN: they are null.
    package mutating func value(_ number: Double) {
        guard number.isFinite else { return word("null") }
        separate()
        bytes.append(contentsOf: String(number).utf8)
    }

    package mutating func value(_ flag: Bool) { word(flag ? "true" : "false") }

    /// `encoded` is JSON already.
    package mutating func value(encoded: [UInt8]) {
        separate()
        bytes.append(contentsOf: encoded)
    }

    /// The members of objects in the order of their keys, so that equal values are equal bytes.
    package mutating func value(_ value: JSONValue) {
        switch value {
        case .null: word("null")
        case .bool(let flag): self.value(flag)
        case .integer(let integer): self.value(integer)
        case .number(let number): self.value(number)
        case .string(let text): self.value(text)
        case .array(let elements): array { for element in elements { $0.value(element) } }
        case .object(let object):
            self.object { writer in
                for (key, value) in object.sorted {
                    writer.key(key)
                    writer.value(value)
                }
            }
        }
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    /// What comes next needs a comma before it if a value has been written beside it.
    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func colon() {
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    private mutating func word(_ word: StaticString) {
        separate()
        append(word)
    }

    private mutating func append(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}

/// Fields of an object. `name` is written as it is: it has nothing in it that must be escaped.
extension JSONWriter {
    private mutating func key(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        append(name)
        bytes.append(UInt8(ascii: "\""))
        colon()
    }

    package mutating func field(_ name: StaticString, _ text: String?) {
        key(name)
        value(text)
    }

    package mutating func field(_ name: StaticString, _ number: Int64?) {
        key(name)
        value(number)
    }

    package mutating func field(_ name: StaticString, _ number: Int?) { field(name, number.map(Int64.init)) }

    package mutating func field(_ name: StaticString, _ flag: Bool) {
        key(name)
        value(flag)
    }

    /// Leaves the field out if there is no value.
    package mutating func fieldIfKnown(_ name: StaticString, _ text: String?) { if let text { field(name, text) } }

    /// Leaves the field out if there is no value.
    package mutating func fieldIfKnown(_ name: StaticString, _ number: Int64?) {
        if let number { field(name, number) }
    }

    /// An object of texts, sorted by name.
    package mutating func field(_ name: StaticString, texts: [String: String]) {
        field(name) { writer in
            writer.object { writer in
                for (name, text) in texts.sorted(by: { $0.key < $1.key }) {
                    writer.key(name)
                    writer.value(text)
                }
            }
        }
    }

    /// An array of texts; null if there is none.
    package mutating func field(_ name: StaticString, texts: [String]?) {
        key(name)
        guard let texts else { return word("null") }
        array { for text in texts { $0.value(text) } }
    }

    /// An object made of `content`; null if there is none.
    package mutating func field<Content>(
        _ name: StaticString, object content: Content?, _ fields: (inout JSONWriter, Content) -> Void
    ) {
        key(name)
        guard let content else { return word("null") }
        object { fields(&$0, content) }
    }

    /// An array of objects; null if there is none.
    package mutating func field<Element>(
        _ name: StaticString, objects elements: [Element]?, _ fields: (inout JSONWriter, Element) -> Void
    ) {
        key(name)
        guard let elements else { return word("null") }
        array { writer in
            for element in elements { writer.object { fields(&$0, element) } }
        }
    }

    /// An array of values that are JSON already.
    package mutating func field(_ name: StaticString, encoded elements: [[UInt8]]) {
        reserve(elements.reduce(64) { $0 + $1.count + 1 })
        field(name) { writer in
            writer.array { for element in elements { $0.value(encoded: element) } }
        }
    }

    /// A field whose value `write` writes.
    package mutating func field(_ name: StaticString, _ write: (inout JSONWriter) -> Void) {
        key(name)
        write(&self)
    }
}

extension JSONValue {
    /// As JSON, the members of objects in the order of their keys: equal values are equal bytes.
    package var bytes: [UInt8] {
        var writer = JSONWriter()
        writer.value(self)
        return writer.bytes
    }
}
