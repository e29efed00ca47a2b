import Catalog
import Foundation
import Launch
import NIOCore
import NIOHTTP1
import Testing

@testable import Gateway

@Suite struct ForwardedHeadersTests {
    private let endpoint = target("http://gpu-1:8000/api")

    private static func target(
        _ baseURL: String, isAnthropic: Bool = false, isVersionedRoot: Bool = false
    ) -> UpstreamTarget {
        let address = EndpointAddress(baseURL: baseURL)!
        return UpstreamTarget(
            revision: 1, pathPrefix: address.pathPrefix, key: "sk-endpoint", isAnthropic: isAnthropic,
            isVersionedRoot: isVersionedRoot,
            connections: IdleConnections(origin: address.origin, configuration: .init()))
    }

    /// The fields that an endpoint gets, names in lower case, without the line before them.
    private func sent(_ headers: HTTPHeaders, isBodyChanged: Bool = false) -> [String: [String]] {
        let text = head(headers, isBodyChanged: isBodyChanged, to: endpoint)
        #expect(text.hasPrefix("POST /api/v1/chat/completions?a=b HTTP/1.1\r\n") && text.hasSuffix("\r\n\r\n"))
        return fields(text)
    }

    private func head(_ headers: HTTPHeaders, isBodyChanged: Bool = false, to endpoint: UpstreamTarget) -> String {
        let lines = HeadWriter()
        UpstreamRequestHead(
            method: "POST", path: "/v1/chat/completions", query: "a=b", headers: RequestHeaders(headers),
            requestID: "r", via: "1.1 rollcall-x", contentLength: 7, isBodyChanged: isBodyChanged
        ).write(to: endpoint, into: lines)
        return String(buffer: lines.buffer(ByteBufferAllocator()))
    }

    @Test func anthropicGetsItsKeyAndAVersionInItsOwnFields() {
        let endpoint = Self.target("https://api.anthropic.com", isAnthropic: true)
        let added = fields(head(["X-API-Key": "rc_x", "Anthropic-Beta": "b"], to: endpoint))
        #expect(added["x-api-key"] == ["sk-endpoint"] && added["authorization"] == nil)
        #expect(added["anthropic-version"] == ["2023-06-01"] && added["anthropic-beta"] == ["b"])
        let own = fields(head(["anthropic-version": "2099-01-01"], to: endpoint))
        #expect(own["anthropic-version"] == ["2099-01-01"])
        #expect(sent(["anthropic-version": "2023-06-01"])["x-api-key"] == nil)
    }

    @Test func aBaseWithAVersionIsTheRootOfTheAPI() {
        let endpoint = Self.target("https://open.example/api/paas/v4", isVersionedRoot: true)
        #expect(head([:], to: endpoint).hasPrefix("POST /api/paas/v4/chat/completions?a=b HTTP/1.1\r\n"))
    }

    private func fields(_ head: String) -> [String: [String]] {
        var fields: [String: [String]] = [:]
        for line in head.components(separatedBy: "\r\n").dropFirst() where !line.isEmpty {
            let parts = line.split(separator: ":", maxSplits: 1)
            fields[parts[0].lowercased(), default: []].append(parts[1].trimmingCharacters(in: .whitespaces))
        }
        return fields
    }

    @Test(arguments: [
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true), ("00-a-b-01", false),
    ])
    func onlyAValidTraceGoesOn(value: String, isValid: Bool) {
        let names = sent(["Traceparent": value, "Tracestate": "a=1"]).keys
        #expect(names.contains("traceparent") == isValid && names.contains("tracestate") == isValid)
    }

    @Test func whatIsTheClientsOwnStays() {
        let headers: HTTPHeaders = [
            "Host": "gateway", "Authorization": "Bearer rc_x", "X-API-Key": "k", "api-key": "k", "x-goog-api-key": "k",
            "Cookie": "a=b", "Origin": "https://a", "Referer": "https://a/", "Sec-Fetch-Site": "none",
            "Forwarded": "for=1", "X-Forwarded-For": "1", "X-Forwarded-Proto": "https", "TE": "trailers",
            "Transfer-Encoding": "chunked", "Content-Length": "99", "Connection": "keep-alive, X-Hop", "X-Hop": "1",
            "Keep-Alive": "timeout=5", "Upgrade": "h2c", "HTTP2-Settings": "x", "Proxy-Authorization": "Basic x",
            "Expect": "100-continue", "X-Rollcall-Secret": "1", "X-Request-Id": "other",
            "Content-Type": "application/json", "Accept": "*/*", "OpenAI-Beta": "x", "X-Stainless-Lang": "python",
        ]
        let fields = sent(headers)
        #expect(
            Set(fields.keys) == [
                "host", "content-length", "via", "x-request-id", "authorization", "content-type", "accept",
                "openai-beta",
                "x-stainless-lang",
            ])
        #expect(fields["host"] == ["gpu-1:8000"] && fields["authorization"] == ["Bearer sk-endpoint"])
        #expect(fields["content-length"] == ["7"] && fields["x-request-id"] == ["r"])
    }

    @Test func viaGrows() {
        #expect(sent([:])["via"] == ["1.1 rollcall-x"])
        #expect(sent(["Via": "1.0 a, 1.1 b (c)"])["via"] == ["1.0 a, 1.1 b (c), 1.1 rollcall-x"])
        let headers = RequestHeaders(["via": "1.0 a", "Via": "1.1 b, 2 rollcall-x (y)"])
        #expect(headers.viaNames("rollcall-x") && headers.viaNames("a") && !headers.viaNames("rollcall"))
    }

    @Test func aDigestOfAChangedBodyStays() {
        let headers: HTTPHeaders = [
            "Content-Digest": "a", "Repr-Digest": "b", "Content-MD5": "c", "Digest": "d", "Signature": "e",
            "Signature-Input": "f",
        ]
        #expect(sent(headers).keys.contains("signature-input"))
        #expect(
            Set(sent(headers, isBodyChanged: true).keys) == [
                "host", "content-length", "via", "x-request-id", "authorization",
            ])
    }

    private func received(_ lines: String, framing: AnswerPassage.ClientFraming) throws -> [String: [String]] {
        var bytes = ByteBuffer(string: "HTTP/1.1 200 Fine\r\n\(lines)\r\n")
        var scanner = AnswerHeadScanner(isHeadRequest: false)
        guard case .head(let head) = scanner.scan(&bytes) else {
            Issue.record("no head")
            return [:]
        }
        let writer = HeadWriter()
        ClientAnswerHead.write(head, framing: framing, date: "today", connection: nil, into: writer)
        writer.write("X-Own: 1\r\n\r\n")
        let text = String(buffer: writer.buffer(ByteBufferAllocator()))
        #expect(text.hasPrefix("HTTP/1.1 200 Fine\r\n") && text.hasSuffix("\r\n\r\n"))
        return fields(text)
    }

    @Test func whatWouldSpeakForTheWholeSiteStays() throws {
        let fields = try received(
            "Transfer-Encoding: chunked\r\nX-Models-Etag: theirs\r\nX-Request-Id: theirs\r\nSet-Cookie: a\r\n"
                + "Access-Control-Allow-Origin: *\r\nAlt-Svc: x\r\nStrict-Transport-Security: x\r\nServer: up\r\n"
                + "Clear-Site-Data: x\r\nX-Rollcall-Endpoint: x\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: a\r\n"
                + "Content-Type: text/plain\r\nX-Theirs: 2\r\n",
            framing: .chunked)
        #expect(Set(fields.keys) == ["transfer-encoding", "content-type", "x-theirs", "x-own", "date"])
        let plain = try received("Content-Length: 5\r\nDate: yesterday\r\n", framing: .length(5))
        #expect(plain == ["content-length": ["5"], "date": ["yesterday"], "x-own": ["1"]])
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
            "ROLLCALL_IDLE_TIMEOUT": "2", "ROLLCALL_INFERENCE_MEMORY": "1048576",
            "ROLLCALL_QUEUE_LIMIT": "0", "ROLLCALL_QUEUE_TIMEOUT": "0.25",
        ])
        #expect(
            limits.bodyBytes == 1 << 20 && limits.firstByteTimeout == .milliseconds(1500)
                && limits.idleTimeout == .seconds(2))
        #expect(limits.heldBytes == 1 << 20)
        #expect(try settings(["ROLLCALL_INFERENCE_MEMORY": "\(1 << 40)"]).heldBytes == 1 << 40)
        for bytes in [(1 << 20) - 1, (1 << 40) + 1] {
            #expect(throws: SettingError.self) { try settings(["ROLLCALL_INFERENCE_MEMORY": "\(bytes)"]) }
        }
        #expect(limits.queueLength == 0 && limits.queueTimeout == .milliseconds(250))
        for name in [
            "ROLLCALL_INFERENCE_BODY_LIMIT", "ROLLCALL_FIRST_BYTE_TIMEOUT", "ROLLCALL_IDLE_TIMEOUT",
            "ROLLCALL_QUEUE_LIMIT",
            "ROLLCALL_QUEUE_TIMEOUT", "ROLLCALL_INFERENCE_MEMORY",
        ] {
            let error = try #require(throws: SettingError.self) { try settings([name: "-1"]) }
            #expect(error.description.hasPrefix(name))
        }
    }
}
