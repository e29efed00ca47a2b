import HTTPTypes
import NIOCore
import NIOHTTP1
import Testing

@testable import Gateway

@Suite struct RequestTests {
    @Test(
        arguments: [
            ("/a/b", "/a/b", nil, nil), ("/a?x=/b?c", "/a", "x=/b?c", nil), ("/", "/", nil, nil), ("/?", "/", "", nil),
            ("http://h:1/a/b?c", "/a/b", "c", "h:1"), ("HTTPS://h", "/", nil, "h"), ("http://h?c", "/", "c", "h"),
            ("*", "*", nil, nil), ("", "", nil, nil), ("/http://h/a", "/http://h/a", nil, nil),
        ] as [(String, String, String?, String?)])
    func targetsAreTakenApart(_ target: String, _ path: String, _ query: String?, _ authority: String?) {
        let request = Request(method: .get, target: target, headers: RequestHeaders(), isFromLoopback: true)
        #expect(request.path == path && request.query == query && request.targetAuthority == authority)
    }

    /// Names whose lengths differ by 64 share a bit: what is not there is not found all the same.
    @Test func aNameIsFoundByAllOfIt() {
        let long = "x-" + String(repeating: "a", count: 67)
        let headers = RequestHeaders(
            [(long, "1"), ("Content-TYPE", "2"), ("content-type", "3")].reduce(into: [:]) {
                $0.add(name: $1.0, value: $1.1)
            })
        #expect(headers[HTTPField.Name("x-aaa")!] == nil && headers[.contentEncoding] == nil)
        #expect(headers[HTTPField.Name(long)!] == "1")
        #expect(headers[.contentType] == "2, 3" && headers[values: .contentType] == ["2", "3"])
    }

    @Test func ofTheParsersHead() {
        var head = HTTPRequestHead(version: .http1_1, method: .RAW(value: "BREW"), uri: "/pot?x=1")
        head.headers.add(name: "HOST", value: "h")
        let request = Request(head, RequestHeaders(head.headers), isFromLoopback: false)
        #expect(request.method.rawValue == "BREW" && request.path == "/pot" && request.query == "x=1")
        #expect(request.headers[.hostField] == "h" && !request.isFromLoopback && request.body.readableBytes == 0)
        for (method, expected) in [(HTTPMethod.GET, HTTPRequest.Method.get), (.PATCH, .patch), (.OPTIONS, .options)] {
            #expect(HTTPRequest.Method(method) == expected)
        }
    }

    @Test func fieldsAreFoundInAnyCaseAndJoined() {
        let headers = RequestHeaders(
            HTTPHeaders([
                ("accept", "a"), ("ACCEPT", "b"), ("X-Api-Key", "k"), ("X-API-KEY", "l"), ("x-api-kez", "no"),
                ("X-API-Ke9", "no"),
            ]))
        #expect(headers[.accept] == "a, b" && headers[values: .accept] == ["a", "b"])
        #expect(headers[.apiKey] == "k, l" && headers[values: .apiKey] == ["k", "l"])
        #expect(headers[.authorization] == nil && headers[values: .authorization].isEmpty)
    }
}
