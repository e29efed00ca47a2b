import Conventions
import JSON

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
        var json = JSONWriter(hiding: \.isHidden)
        json.object { json in
            json.field("ready", isReady)
            for (key, value) in fields {
                json.key(key)
                switch value {
                case .string(let text): json.value(text)
                case .integer(let number): json.value(Int64(number))
                case .number(let number): json.value(number)
                case .bool(let flag): json.value(flag)
                case .null: json.value(nil as String?)
                }
            }
        }
        return json.text
    }
}
