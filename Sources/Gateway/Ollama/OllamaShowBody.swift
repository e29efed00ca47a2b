import Catalog
import NIOCore

/// The body of `POST /api/show`.
enum OllamaShowBody {
    /// The model's name: `model`, by the rules of inference, or else `name`, as older clients call it. Other fields are
    /// left alone.
    static func model(in bytes: [UInt8]) throws -> String {
        do throws(HTTPFailure) {
            return try InferenceBody(json: ByteBuffer(bytes: bytes)).model
        } catch {
            guard error.error.code == ModelField.required.error.code else { throw error }
            return try ModelField.checked(FieldReader.decode(Older.self, from: bytes).name)
        }
    }

    private struct Older: Decodable {
        let name: String?

        private enum CodingKeys: String, CodingKey { case name }

        init(from decoder: any Decoder) throws {
            do {
                name = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(String.self, forKey: .name)
            } catch DecodingError.typeMismatch {
                throw HTTPFailure.badRequest("invalid_type", "name must be a string.", param: "name")
            }
        }
    }
}
