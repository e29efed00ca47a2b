import JSON

extension SchemaExample {
    /// Keywords that would have to be obeyed and are not. Those that describe only, or that nothing made here can
    /// break, may stand in a schema.
    private static let refused = [
        "not", "if", "dependentRequired", "dependentSchemas", "dependencies", "contains", "$dynamicRef",
        "$recursiveRef",
    ]

    static func checkKeywords(_ members: JSONObject) throws(Unsupported) {
        if let keyword = refused.first(where: { members[$0] != nil }) {
            throw Unsupported("the keyword \(keyword) is not supported")
        }
    }

    /// The types that a value may have, as they are named, or as the other keywords tell.
    static func types(_ members: JSONObject) -> [String] {
        if let type = members["type"] { return type.string.map { [$0] } ?? type.array?.compactMap(\.string) ?? [] }
        let keywords = [
            ("object", ["properties", "required", "additionalProperties", "patternProperties", "minProperties"]),
            ("array", ["items", "prefixItems", "minItems", "uniqueItems"]),
            ("number", ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
        ]
        return [keywords.first { $0.1.contains { members[$0] != nil } }?.0 ?? "string"]
    }

    /// Branches that lead nowhere deeper come first.
    static func shortFirst(_ branches: [JSONValue]) -> [JSONValue] {
        func leadsDeeper(_ branch: JSONValue) -> Bool {
            ["$ref", "properties", "items", "prefixItems", "allOf", "anyOf", "oneOf"].contains {
                branch.member($0) != nil
            }
        }
        return branches.filter { !leadsDeeper($0) } + branches.filter(leadsDeeper)
    }

    /// The schema without `$ref` and `allOf`: what they say is in it.
    func resolved(
        _ members: JSONObject, _ place: inout Place
    ) throws(Unsupported) -> JSONObject {
        var members = members
        for _ in 0..<64 {
            if let reference = members.removeValue(forKey: "$ref")?.string {
                place.references.append(reference)
                members = try merge(members, try target(of: reference))
            } else if let parts = members.removeValue(forKey: "allOf")?.array {
                for part in parts { members = try merge(members, part) }
            } else {
                return members
            }
        }
        throw Unsupported("a reference leads to itself")
    }

    /// What a JSON pointer in a URI's fragment points at (RFC 6901, section 6).
    private func target(of reference: String) throws(Unsupported) -> JSONValue {
        guard reference.hasPrefix("#") else { throw Unsupported("the reference \(reference) is not of this schema") }
        var place: JSONValue? = root
        let pointer = Self.percentDecoded(reference.dropFirst())
        for part in pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            let key = String(part).replacing("~1", with: "/").replacing("~0", with: "~")
            if let items = place?.array {
                place = Int(key).flatMap { items.indices.contains($0) ? items[$0] : nil }
            } else {
                place = place?.member(key)
            }
        }
        guard let place, pointer.isEmpty || pointer.hasPrefix("/") else {
            throw Unsupported("the reference \(reference) leads nowhere")
        }
        return place
    }

    private static func percentDecoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A schema that allows what both allow.
    func merge(_ members: JSONObject, _ other: JSONValue) throws(Unsupported) -> JSONObject {
        if other == .bool(true) { return members }
        guard let other = other.object else { throw Unsupported("it allows nothing") }
        return try members.isEmpty ? other : Self.merge(members, other)
    }

    private static func merge(
        _ one: JSONObject, _ other: JSONObject
    ) throws(Unsupported) -> JSONObject {
        var merged = one
        for (keyword, value) in other.sorted(by: { $0.key < $1.key }) {
            guard let present = merged[keyword], present != value else {
                merged[keyword] = value
                continue
            }
            switch keyword {
            case "anyOf", "oneOf":
                // Both unions must hold: each branch of the one is taken together with the other one.
                let branches = present.array ?? []
                merged[keyword] = .array(
                    branches.map { .object(["allOf": .array([$0, .object([keyword: value])])]) })
            case "$ref": merged["allOf"] = .array((merged["allOf"]?.array ?? []) + [.object([keyword: value])])
            default:
                merged[keyword] = try merge(keyword, present, value)
            }
        }
        return merged
    }

    private static func merge(
        _ keyword: String, _ one: JSONValue, _ other: JSONValue
    ) throws(Unsupported) -> JSONValue {
        switch keyword {
        case "properties", "patternProperties", "$defs", "definitions":
            var all = one.object ?? [:]
            for (name, schema) in other.object ?? [:] {
                all[name] = if let present = all[name] { try both(present, schema) } else { schema }
            }
            return .object(all)
        case "items", "additionalProperties", "propertyNames": return try both(one, other)
        case "required":
            let names = one.array ?? []
            return .array(names + (other.array ?? []).filter { !names.contains($0) })
        case "allOf": return .array((one.array ?? []) + (other.array ?? []))
        case "enum": return .array((one.array ?? []).filter { other.array?.contains($0) == true })
        case "type":
            let (names, others) = (one.array ?? [one], other.array ?? [other])
            func isAllowed(_ type: JSONValue, by list: [JSONValue]) -> Bool {
                list.contains(type) || type == .string("integer") && list.contains(.string("number"))
            }
            return .array(
                names.filter { isAllowed($0, by: others) }
                    + others.filter { !names.contains($0) && isAllowed($0, by: names) })
        case "minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties":
            return (one.number ?? -.infinity) > (other.number ?? -.infinity) ? one : other
        case "maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties":
            return (one.number ?? .infinity) < (other.number ?? .infinity) ? one : other
        case "const", "pattern", "format", "multipleOf":
            throw Unsupported("two values of \(keyword) hold at once")
        default: return other
        }
    }

    private static func both(_ one: JSONValue, _ other: JSONValue) throws(Unsupported) -> JSONValue {
        switch (one, other) {
        case (.object(let one), .object(let other)): .object(try merge(one, other))
        case (.bool(false), _), (_, .bool(true)): one
        default: other
        }
    }
}
