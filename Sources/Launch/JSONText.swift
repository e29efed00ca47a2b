import Conventions

/// Writes JSON into a string, for the few places that must not depend on an encoder: log lines and health answers.
package struct JSONText {
    package private(set) var text = ""

    package init() {}

    /// A string with its quotes, escaped as RFC 8259 section 7 demands.
    package mutating func append(string: String) {
        text.append("\"")
        defer { text.append("\"") }
        let isPlain = string.utf8.allSatisfy {
            $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        if isPlain {
            text.append(string)
            return
        }
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text.append("\\\"")
            case "\\": text.append("\\\\")
            case "\n": text.append("\\n")
            case "\r": text.append("\\r")
            case "\t": text.append("\\t")
            case _ where scalar.isHidden:
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    text.append("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
                }
            default: text.unicodeScalars.append(scalar)
            }
        }
    }

    package mutating func append(raw: String) { text.append(raw) }

    /// `{"key":…,…}` in the order given; `value` writes each one's value.
    package mutating func append<Value>(object fields: [(String, Value)], value: (inout JSONText, Value) -> Void) {
        text.append("{")
        for (index, field) in fields.enumerated() {
            if index > 0 { text.append(",") }
            append(string: field.0)
            text.append(":")
            value(&self, field.1)
        }
        text.append("}")
    }
}
