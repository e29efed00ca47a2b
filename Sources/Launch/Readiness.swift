/// What a process says of itself at `/readyz`.
public struct Readiness: Sendable {
    /// A value of the answer's JSON.
    public enum Value: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
        ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
    {
        case string(String)
        case integer(Int)
        case number(Double)
        case bool(Bool)
        case null
        public init(stringLiteral value: String) { self = .string(value) }
        public init(integerLiteral value: Int) { self = .integer(value) }
        public init(floatLiteral value: Double) { self = .number(value) }
        public init(booleanLiteral value: Bool) { self = .bool(value) }
        public init(nilLiteral: ()) { self = .null }
    }

    /// 200 if so, else 503.
    public var isReady: Bool
    /// Besides `ready`, in this order.
    public var fields: [(String, Value)]

    public init(isReady: Bool, fields: [(String, Value)] = []) {
        self.isReady = isReady
        self.fields = fields
    }

    /// `{"ready":true,…}`.
    var json: String {
        var json = JSONText()
        json.append(object: [("ready", .bool(isReady))] + fields) { json, value in
            switch value {
            case .string(let text): json.append(string: text)
            case .integer(let number): json.append(raw: String(number))
            case .number(let number): json.append(raw: number.isFinite ? String(number) : "null")
            case .bool(let value): json.append(raw: String(value))
            case .null: json.append(raw: "null")
            }
        }
        return json.text
    }
}
