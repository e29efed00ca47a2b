import Catalog
import JSON

/// How long a record may be. It is checked before the commit: what is committed has to be announced, and RabbitMQ takes
/// no message of more than 16 MiB (`max_message_size`).
enum RecordSize {
    /// Bytes of the record as JSON. A repository of 700 files has about 1 MiB.
    static let limit = 4 << 20

    /// - Throws: `Rejection` 400 with the size and the limit.
    static func check(_ record: RegistrationRecord) throws {
        let bytes = try size(of: record)
        guard bytes > limit else { return }
        throw Rejection.unsupportedArtifact(
            """
            The registration of \(record.manifest.files.count) files would be \(bytes) bytes long, and at most \(limit) \
            are stored: register a repository with fewer files, or with shorter names and a shorter chat template.
            """)
    }

    /// - Throws: `Rejection` 400 with the size and the limit.
    static func check(_ record: some Encodable) throws {
        let bytes = try size(of: record)
        guard bytes > limit else { return }
        throw Rejection.invalid(
            APIError(
                type: "invalid_request_error", code: "record_too_large",
                message: "The record would be \(bytes) bytes long, and at most \(limit) are stored."))
    }

    private static func size(of record: some Encodable) throws -> Int { try JSONCoding.encode(record).count }
}
