import Crypto
import HTTPTypes

/// A key that a request carries, in its headers only: addresses end up in logs.
enum PresentedKey {
    /// The different keys of a request, in no order that means anything: of each `Authorization: Bearer`, `X-API-Key`, and
    /// `api-key`. Mostly there is one.
    static func all(_ headers: RequestHeaders) -> [String] {
        var keys: [String] = []
        func add(_ key: Substring) {
            if !key.isEmpty, !keys.contains(where: { $0 == key }) { keys.append(String(key)) }
        }
        for value in headers[values: .authorization] { add(bearerToken(value)) }
        for value in headers[values: .apiKey] { add(value[...].trimmingBlanks) }
        for value in headers[values: .azureAPIKey] { add(value[...].trimmingBlanks) }
        return keys
    }

    static func digest(of key: String) -> SHA256Digest {
        var key = key
        return key.withUTF8 { SHA256.hash(data: UnsafeRawBufferPointer($0)) }
    }

    /// "" for another scheme than `Bearer`, which may be in any case.
    private static func bearerToken(_ value: String) -> Substring {
        let value = value[...].trimmingBlanks
        guard let end = value.utf8.firstIndex(where: \.isBlank), value[..<end].lowercased() == "bearer" else {
            return ""
        }
        return value[end...].trimmingBlanks
    }
}
