import Catalog

/// An API key as clients see it: never its digest, and the key itself only where it has just been made.
struct KeyAnswer: Encodable {
    let record: KeyRecord
    var key: String?

    enum CodingKeys: String, CodingKey {
        case id, name, scopes, models, key
        case expiresAt = "expires_at"
        case createdAt = "created_at"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(record.id, forKey: .id)
        try container.encode(record.name, forKey: .name)
        try container.encode(record.scopes, forKey: .scopes)
        try container.encode(record.models, forKey: .models)
        try container.encode(record.expiresAt.map(Timestamp.text(seconds:)), forKey: .expiresAt)
        try container.encode(Timestamp.text(seconds: record.createdAt), forKey: .createdAt)
        try container.encodeIfPresent(key, forKey: .key)
    }
}

/// The body of `GET /v0/keys`.
struct KeyListAnswer: Encodable {
    let keys: [KeyAnswer]
    let total: Int
}
