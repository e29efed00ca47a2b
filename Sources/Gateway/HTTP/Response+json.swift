import FoundationEssentials
import Hummingbird

extension Response {
    /// `json` as the body, as it is.
    init(json: ByteBuffer, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) {
        var fields = headers
        fields[.contentType] = "application/json"
        self.init(status: status, headers: fields, body: ResponseBody(byteBuffer: json))
    }

    /// `value` as a JSON body, its keys sorted so that equal answers are equal bytes.
    static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Response(json: ByteBuffer(bytes: try encoder.encode(value)), status: status, headers: headers)
    }
}
