import AMQP
import JSON

/// A message of the catalog stream, for people.
enum BrokerMessageText {
    /// `1042  registry.changed  {"endpoint":…}`
    static func line(_ message: Message, at offset: Int64) -> String {
        "\(offset)  \(HumanText.clean(message.type))  \(HumanText.clean(body(message.body)))"
    }

    private static func body(_ bytes: [UInt8]) -> String {
        guard let value = try? JSONReader.read(bytes) else { return "(\(bytes.count) bytes that are not JSON)" }
        return String(decoding: concealed(value).bytes, as: UTF8.self)
    }

    /// Without what only processes need: an endpoint's key, which is sealed, and what an API key is recognised by.
    private static func concealed(_ value: JSONValue) -> JSONValue {
        switch value {
        case .array(let elements): return .array(elements.map(concealed))
        case .object(let object):
            var concealed = JSONObject()
            for (key, value) in object {
                concealed[key] =
                    switch key {
                    case "sealed_api_key": value == .null ? .null : .string("(sealed)")
                    case "key": withoutDigest(value)
                    default: Self.concealed(value)
                    }
            }
            return .object(concealed)
        default: return value
        }
    }

    private static func withoutDigest(_ value: JSONValue) -> JSONValue {
        guard case .object(var record) = value else { return value }
        if record["digest"] != nil { record["digest"] = .string("(left out)") }
        return .object(record)
    }
}
