import Catalog
import Foundation
import HTTPTypes
import Hummingbird
import Launch
import Testing

@testable import Gateway

@Suite struct MultipartScannerTests {
    private func fields(_ text: String, boundary: String = "B") throws -> [String: String] {
        let bytes = Array(text.utf8)
        return try bytes.withUnsafeBytes { buffer in
            var found: [String: String] = [:]
            for field in try MultipartScanner.fields(of: buffer, boundary: boundary) {
                found[field.name] = String(decoding: buffer[field.content], as: UTF8.self)
            }
            return found
        }
    }

    @Test func findsFieldsAmongFiles() throws {
        let text =
            "preamble\r\n--BB \r\ncontent-disposition: form-data; name=\"file\"; filename=\"a;b\"\r\nContent-Type: audio/x\r\n\r\n"
            + "--Bogus\r\n\r\n--\r\nname=\"model\"\r\n--BB\r\nX: y\r\nContent-Disposition:form-data;name=model\r\n\r\nwhisper\r\n"
            + "--BB\r\nContent-Disposition: form-data; name=\"a\\\"b\"\r\n\r\n\r\n--BB--\r\nepilogue\r\n--BB\r\n"
        #expect(try fields(text, boundary: "BB") == ["model": "whisper", "a\"b": ""])
    }

    @Test(arguments: [
        "", "--B", "--B\r\n", "--B\r\n\r\nx", "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n",
        "--Bx\r\n",
        "nothing", "--B\r\nContent-Disposition: form-data",
    ])
    func refusesWhatIsNoForm(text: String) {
        #expect(throws: MultipartScanner.Malformed.self) { try fields(text) }
    }

    @Test func partsAreBounded() {
        let part = "--B\r\n\r\n\r\n"
        #expect(throws: MultipartScanner.Malformed.self) { try fields(String(repeating: part, count: 300) + "--B--") }
        let head = "--B\r\nX: " + String(repeating: "a", count: 20_000) + "\r\n\r\nx\r\n--B--"
        #expect(throws: MultipartScanner.Malformed.self) { try fields(head) }
    }

    @Test(arguments: [
        ("multipart/form-data; boundary=abc", "abc"), ("multipart/form-data;BOUNDARY=\"a b\"; x=y", "a b"),
        ("multipart/form-data; charset=utf-8; boundary=----W7", "----W7"), ("multipart/form-data", nil),
        ("multipart/form-data; boundary=", nil), ("multipart/form-data; boundary=\"a\\\"b\"", nil),
    ])
    func boundaries(type: String, boundary: String?) { #expect(MultipartScanner.boundary(of: type) == boundary) }

    @Test func aFormNeedsOneModel() throws {
        func body(_ parts: [String]) throws -> InferenceBody {
            let text =
                parts.map { "--B\r\nContent-Disposition: form-data; name=\"\($0)\"\r\n\r\nv-\($0)\r\n" }.joined()
                + "--B--"
            return try InferenceBody(form: ByteBuffer(string: text), boundary: "B")
        }
        #expect(try body(["file", "model", "user"]).model == "v-model")
        #expect(try body(["model", "user"]).user == "v-user")
        #expect(throws: HTTPFailure.self) { try body(["file"]) }
        #expect(throws: HTTPFailure.self) { try body(["model", "model"]) }
    }
}

@Suite struct SplicedBodyTests {
    @Test func isReadFromAnyPlaceInAnyPieces() {
        let bytes = ByteBuffer(string: #"{"model":"a","x":1}"#)
        let cases: [(Range<Int>, String)] = [
            (0..<0, ""), (9..<12, "\"longer-name\""), (9..<12, ""), (0..<19, "all"), (19..<19, "end"),
        ]
        for (hole, filling) in cases {
            let body = SplicedBody(bytes: bytes, hole: hole, filling: Array(filling.utf8))
            let text = String(buffer: bytes)
            let whole = Array((text.prefix(hole.lowerBound) + filling + text.dropFirst(hole.upperBound)).utf8)
            #expect(body.count == whole.count)
            for size in [1, 2, 3, 7, 100] {
                var read: [UInt8] = []
                while true {
                    var piece = [UInt8](repeating: 0, count: size)
                    let count = piece.withUnsafeMutableBytes { body.copy(from: read.count, into: $0) }
                    if count == 0 { break }
                    read += piece[..<count]
                }
                #expect(read == whole)
            }
        }
    }
}

@Suite struct ForwardedHeadersTests {
    @Test(arguments: [
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true), ("00-a-b-01", false),
    ])
    func onlyAValidTraceGoesOn(value: String, isValid: Bool) {
        var fields = HTTPFields()
        fields[.traceParent] = value
        fields[.traceState] = "a=1"
        let names = ForwardedHeaders.request(fields, requestID: "r", key: nil).map { $0.name.lowercased() }
        #expect(names.contains("traceparent") == isValid && names.contains("tracestate") == isValid)
    }

    @Test func aChunkedAnswerHasNoLength() {
        let fields = ForwardedHeaders.response([
            ("Transfer-Encoding", "chunked"), ("Content-Length", "5"), ("bad name", "x"), ("X-Models-Etag", "theirs"),
        ])
        #expect(fields.isEmpty)
        let plain = ForwardedHeaders.response([("Content-Length", "5"), ("content-length", "5"), ("Set-Cookie", "a")])
        #expect(plain[values: .contentLength] == ["5"] && plain.count == 2)
    }
}

@Suite struct InferenceSettingsTests {
    private func settings(_ environment: [String: String]) throws -> InferenceLimits {
        try GatewaySettings(ProcessSettings(environment: environment)).inference
    }

    @Test func defaultsAndValues() throws {
        #expect(try settings([:]) == InferenceLimits())
        let limits = try settings([
            "ROLLCALL_INFERENCE_BODY_LIMIT": "1048576", "ROLLCALL_FIRST_BYTE_TIMEOUT": "1.5",
            "ROLLCALL_IDLE_TIMEOUT": "2",
            "ROLLCALL_QUEUE_LIMIT": "0", "ROLLCALL_QUEUE_TIMEOUT": "0.25",
        ])
        #expect(limits.bodyBytes == 1 << 20 && limits.firstByte == .milliseconds(1500) && limits.idle == .seconds(2))
        #expect(limits.queueLength == 0 && limits.queue == .milliseconds(250))
        for name in [
            "ROLLCALL_INFERENCE_BODY_LIMIT", "ROLLCALL_FIRST_BYTE_TIMEOUT", "ROLLCALL_IDLE_TIMEOUT",
            "ROLLCALL_QUEUE_LIMIT",
            "ROLLCALL_QUEUE_TIMEOUT",
        ] {
            let error = try #require(throws: SettingError.self) { try settings([name: "-1"]) }
            #expect(error.description.hasPrefix(name))
        }
    }
}
