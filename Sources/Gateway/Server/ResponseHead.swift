import HTTPTypes
import NIOCore

extension Response {
    /// The answer's bytes for a connection of HTTP/1.
    ///
    /// - Parameters:
    ///   - date: the value of `Date`
    ///   - connection: the value of `Connection`, if the client has to be told one
    ///   - isHead: the request was HEAD: everything is as for GET but the body (RFC 9110, 9.3.2)
    func write(date: String, connection: StaticString?, isHead: Bool, into buffer: inout ByteBuffer) -> ByteBuffer? {
        buffer.writeStaticString("HTTP/1.1 ")
        buffer.writeString(String(status.code))
        buffer.writeStaticString(" ")
        buffer.writeString(status.reasonPhrase)
        buffer.writeStaticString("\r\n")
        var hasLength = status.code == 204 || status.code == 304
        for field in headers {
            if field.name == .contentLength { hasLength = true }
            buffer.writeField(field.name.rawName, field.value)
        }
        if !hasLength { buffer.writeField("Content-Length", String(body.readableBytes)) }
        buffer.writeField("Date", date)
        if let connection {
            buffer.writeStaticString("Connection: ")
            buffer.writeStaticString(connection)
            buffer.writeStaticString("\r\n")
        }
        buffer.writeStaticString("\r\n")
        return isHead || body.readableBytes == 0 ? nil : body
    }
}

extension ByteBuffer {
    /// One header field as a line.
    mutating func writeField(_ name: String, _ value: String) {
        writeString(name)
        writeStaticString(": ")
        writeString(value)
        writeStaticString("\r\n")
    }
}
