import JSON

/// A string that a schema allows.
struct StringExample {
    private static let longest = 100_000

    private let members: JSONObject
    private let place: SchemaExample.Place
    private let lengths: ClosedRange<Int>

    init(_ members: JSONObject, _ place: SchemaExample.Place) throws(SchemaExample.Unsupported) {
        self.members = members
        self.place = place
        let least = Int(members["minLength"]?.integer ?? 0)
        let most = Int(members["maxLength"]?.integer ?? .max)
        guard least <= most, least <= Self.longest else {
            throw SchemaExample.Unsupported("a string cannot be as long as it must")
        }
        lengths = least...most
    }

    func text() throws(SchemaExample.Unsupported) -> String {
        if let pattern = members["pattern"]?.string {
            return try PatternExample(pattern).text(lengths: lengths, from: place.number)
        }
        let encoding = members["contentEncoding"]?.string
        if let text = Self.formatted(encoding ?? members["format"]?.string ?? "", place.number),
            lengths.contains(text.unicodeScalars.count)
        {
            return text
        }
        return plain
    }

    /// Says what it is, and what it stands for.
    private var plain: String {
        let number = place.number == 0 ? "" : " \(place.number + 1)"
        let whole = ("simulated " + place.name + number).unicodeScalars
        var text = String.UnicodeScalarView()
        // The end of it has the number, which alone may make an item differ from the others.
        text.append(contentsOf: place.number == 0 ? whole.prefix(lengths.upperBound) : whole.suffix(lengths.upperBound))
        let missing = lengths.lowerBound - text.count
        if missing > 0 { text.append(contentsOf: repeatElement(".", count: missing)) }
        return String(text)
    }

    /// Of the formats of JSON Schema (validation, section 7.3), and of those that Pydantic and OpenAPI add.
    ///
    /// - Parameter number: below 10 it makes another text
    private static func formatted(_ format: String, _ number: Int) -> String? {
        let digit = number % 10
        return switch format {
        case "date-time": "2026-01-01T00:00:0\(digit)Z"
        case "date": "2026-01-1\(digit)"
        case "time": "00:00:0\(digit)Z"
        case "duration": "PT\(number + 1)H"
        case "email", "idn-email", "name-email": "user\(number + 1)@example.com"
        case "hostname", "idn-hostname": "host\(number + 1).example.com"
        case "ipv4", "ipvanyaddress": "192.0.2.\(digit + 1)"
        case "ipv6": "2001:db8::\(digit + 1)"
        case "uri", "url", "iri", "uri-reference", "iri-reference", "uri-template": "https://example.com/\(number + 1)"
        case "uuid", "uuid1", "uuid3", "uuid4", "uuid5": "00000000-0000-4000-8000-00000000000\(digit)"
        case "json-pointer": "/\(number)"
        case "relative-json-pointer": "\(number)"
        case "regex": "^\(number)$"
        case "base64", "base64url", "byte": "c2ltdWxhdGVk"
        default: nil
        }
    }
}

/// A number that a schema allows.
struct NumberExample {
    private static let firstRounded = 9_007_199_254_740_992.0

    private let isInteger: Bool
    private let step: Double?
    private var lower = -Double.infinity
    private var upper = Double.infinity
    private var excludesLower = false
    private var excludesUpper = false

    init(_ members: JSONObject, isInteger: Bool) throws(SchemaExample.Unsupported) {
        self.isInteger = isInteger
        let multiple = members["multipleOf"]?.number
        guard multiple.map({ $0 > 0 && (!isInteger || $0 == $0.rounded()) }) ?? true else {
            throw SchemaExample.Unsupported("multipleOf is no number that is supported")
        }
        step = multiple ?? (isInteger ? 1 : nil)
        if let bound = members["minimum"]?.number { lower = bound }
        if let bound = members["maximum"]?.number { upper = bound }
        if let bound = members["exclusiveMinimum"]?.number, bound >= lower { (lower, excludesLower) = (bound, true) }
        if let bound = members["exclusiveMaximum"]?.number, bound <= upper { (upper, excludesUpper) = (bound, true) }
        // Draft 4 has booleans for whether the other bound is one that is excluded.
        if members["exclusiveMinimum"] == .bool(true) { excludesLower = true }
        if members["exclusiveMaximum"] == .bool(true) { excludesUpper = true }
    }

    /// - Parameter number: of the item in its list
    func text(_ number: Int) throws(SchemaExample.Unsupported) -> String {
        let usual = [Double(number) + (isInteger ? 1 : 1.5), start + Double(number) * (step ?? spacing)]
        guard let value = usual.first(where: isAllowed) else {
            throw SchemaExample.Unsupported("there is no number within its bounds")
        }
        guard isInteger || value == value.rounded() && abs(value) < 1e15 else { return "\(value)" }
        // Bounds beyond that have been rounded.
        guard abs(value) < Self.firstRounded else {
            throw SchemaExample.Unsupported("its integers have more than 53 bits")
        }
        return String(Int64(value))
    }

    private func isAllowed(_ value: Double) -> Bool {
        guard value.isFinite, excludesLower ? value > lower : value >= lower,
            excludesUpper ? value < upper : value <= upper
        else { return false }
        return step.map { abs((value / $0).rounded() * $0 - value) < 1e-9 * max(1, abs(value)) } ?? true
    }

    /// Between numbers without a step.
    private var spacing: Double { lower.isFinite && upper.isFinite ? (upper - lower) / 1000 : 1 }

    /// The allowed number that is next to a bound, or between both.
    private var start: Double {
        if lower.isFinite {
            guard let step else { return excludesLower ? lower + (upper.isFinite ? spacing : 1) : lower }
            let next = (lower / step).rounded(.up) * step
            return excludesLower && next <= lower ? next + step : next
        }
        guard upper.isFinite else { return 0 }
        guard let step else { return excludesUpper ? upper - 1 : upper }
        let next = (upper / step).rounded(.down) * step
        return excludesUpper && next >= upper ? next - step : next
    }
}
