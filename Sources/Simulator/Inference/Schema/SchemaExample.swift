import JSON

/// Makes JSON that a schema allows, always the same for the same schema.
///
/// Properties that the schema does not require are there as well, up to a depth: a recursive schema would have no end.
struct SchemaExample {
    /// The schema allows nothing, or it has a keyword whose meaning is not known here.
    struct Unsupported: Error {
        let reason: String

        init(_ reason: String) { self.reason = reason }
    }

    /// Where in the answer a value stands.
    struct Place {
        /// Of the property, for its text.
        var name = "text"
        var depth = 0
        /// Of the item in its list: items of another number have another value, if the schema lets them.
        var number = 0
        /// The references that have led here.
        var references: [String] = []

        func child(_ name: String) -> Place {
            Place(name: name, depth: depth + 1, number: 0, references: references)
        }
    }

    private static let deepest = 64
    private static let mostValues = 10_000
    /// From here on only what is required is made.
    private static let shallowDepth = 6
    private static let shallowValues = 200

    let root: JSONValue
    private var made = 0

    /// The JSON of one value that `schema` allows.
    static func text(for schema: JSONValue) throws(Unsupported) -> String {
        var example = SchemaExample(root: schema)
        return try example.value(schema, Place())
    }

    private init(root: JSONValue) { self.root = root }

    /// Whether only what is required is made: deep down, and if a reference has led to itself.
    private func isBrief(_ place: Place) -> Bool {
        if place.depth >= Self.shallowDepth || made >= Self.shallowValues { return true }
        guard let last = place.references.last else { return false }
        return place.references.count { $0 == last } > 1
    }

    mutating func value(_ schema: JSONValue, _ place: Place) throws(Unsupported) -> String {
        made += 1
        guard place.depth <= Self.deepest, made <= Self.mostValues else {
            throw Unsupported("it has no end, or none within \(Self.mostValues) values")
        }
        switch schema {
        case .bool(true): return try value(of: "string", [:], place)
        case .object(let members): return try value(members, place)
        default: throw Unsupported("it allows nothing")
        }
    }

    private mutating func value(_ members: JSONObject, _ given: Place) throws(Unsupported) -> String {
        var place = given
        var members = try resolved(members, &place)
        for keyword in ["anyOf", "oneOf"] {
            guard let branches = members.removeValue(forKey: keyword)?.array else { continue }
            return try first(of: isBrief(place) ? Self.shortFirst(branches) : branches) {
                (example, branch) throws(Unsupported) in
                try example.value(.object(try example.merge(members, branch)), place)
            }
        }
        try Self.checkKeywords(members)
        if let only = members["const"] { return Self.json(only) }
        if let words = members["enum"]?.array {
            guard !words.isEmpty else { throw Unsupported("an enum allows nothing") }
            return Self.json(words[place.number % words.count])
        }
        let types = Self.types(members)
        let isBrief = isBrief(place)
        let ordered = types.filter { ($0 == "null") == isBrief } + types.filter { ($0 == "null") != isBrief }
        return try first(of: ordered) { (example, type) throws(Unsupported) in
            try example.value(of: type, members, place)
        }
    }

    /// The value of the first candidate that has one.
    private mutating func first<Candidate>(
        of candidates: [Candidate], _ make: (inout SchemaExample, Candidate) throws(Unsupported) -> String
    ) throws(Unsupported) -> String {
        var refusal = Unsupported("a union allows nothing")
        for candidate in candidates {
            do throws(Unsupported) { return try make(&self, candidate) } catch { refusal = error }
        }
        throw refusal
    }

    private mutating func value(
        of type: String, _ members: JSONObject, _ place: Place
    ) throws(Unsupported) -> String {
        switch type {
        case "object": return try object(members, place)
        case "array": return try array(members, place)
        case "string": return quoted(try StringExample(members, place).text())
        case "integer", "number": return try NumberExample(members, isInteger: type == "integer").text(place.number)
        case "boolean": return place.number % 2 == 0 ? "true" : "false"
        case "null": return "null"
        default: throw Unsupported("there is no type \(type)")
        }
    }

    private mutating func object(_ members: JSONObject, _ place: Place) throws(Unsupported) -> String {
        let properties = members["properties"]?.object ?? [:]
        let required = members["required"]?.array?.compactMap(\.string) ?? []
        var fields: [String] = []
        for name in required {
            let schema = properties[name] ?? members["additionalProperties"] ?? .bool(true)
            fields.append(quoted(name) + ":" + (try value(schema, place.child(name))))
        }
        if !isBrief(place) {
            for (name, schema) in properties.sorted(by: { $0.key < $1.key }) where !required.contains(name) {
                // It may be left out, so nobody minds one that cannot be made.
                guard let text = try? value(schema, place.child(name)) else { continue }
                fields.append(quoted(name) + ":" + text)
            }
        }
        let least = Int(members["minProperties"]?.integer ?? 0)
        let wanted = properties.isEmpty && !isBrief(place) ? max(least, 1) : least
        while fields.count < wanted {
            guard let field = try entry(members, place, number: fields.count) else { break }
            fields.append(field)
        }
        guard fields.count >= least, fields.count <= Int(members["maxProperties"]?.integer ?? .max) else {
            throw Unsupported("an object cannot have as many properties as it must")
        }
        return "{" + fields.joined(separator: ",") + "}"
    }

    /// A property of which the schema does not give the name; nil if it says nothing of such ones.
    private mutating func entry(
        _ members: JSONObject, _ place: Place, number: Int
    ) throws(Unsupported) -> String? {
        var nameSchema = members["propertyNames"]
        var schema = members["additionalProperties"]
        if let first = members["patternProperties"]?.object?.min(by: { $0.key < $1.key }) {
            nameSchema = .object(["type": .string("string"), "pattern": .string(first.key)])
            schema = first.value
        }
        guard let schema, schema != .bool(false), schema != .bool(true) || members["minProperties"] != nil else {
            return nil
        }
        var place = place.child("name")
        place.number = number
        let name = try nameSchema.map { (schema) throws(Unsupported) in try value(schema, place) }
        place.name = "value"
        return (name ?? quoted("key \(number + 1)")) + ":" + (try value(schema, place))
    }

    private mutating func array(_ members: JSONObject, _ place: Place) throws(Unsupported) -> String {
        // Before 2020-12 the schemas of a tuple's items were a list in "items".
        let first = members["prefixItems"]?.array ?? members["items"]?.array ?? []
        let rest = members["items"]?.array == nil ? members["items"] : members["additionalItems"]
        let least = Int(members["minItems"]?.integer ?? 0)
        let most = Int(members["maxItems"]?.integer ?? .max)
        let wanted = min(max(least, first.count, isBrief(place) || rest == nil ? 0 : 1), most)
        guard least <= most else { throw Unsupported("an array must have more items than it may") }
        var items: [String] = []
        for index in 0..<wanted {
            var child = place.child(place.name)
            child.number = index
            let schema = index < first.count ? first[index] : rest ?? .bool(true)
            if schema == .bool(false) { break }
            let item = try value(schema, child)
            if members["uniqueItems"] == .bool(true), items.contains(item) { break }
            items.append(item)
        }
        guard items.count >= least else { throw Unsupported("an array cannot have as many items as it must") }
        return "[" + items.joined(separator: ",") + "]"
    }

    private static func json(_ value: JSONValue) -> String { String(decoding: value.bytes, as: UTF8.self) }
}
