import Catalog
import HTTPTypes
import Testing

@testable import Gateway

@Suite struct InferenceContentTypeTests {
    private static func outcome(_ values: [String]) -> String {
        do throws(HTTPFailure) {
            switch try InferenceContentType.parse(values: values) {
            case .json: return "json"
            case .form(let boundary): return "form \(boundary)"
            }
        } catch {
            return "\(error.status.code) \(error.error.code)"
        }
    }

    @Test(arguments: [
        ("multipart/form-data; boundary=abc", "form abc"), ("multipart/form-data;BOUNDARY=\"a b\"; x=y", "form a b"),
        ("multipart/form-data; charset=utf-8; boundary=----W7", "form ----W7"),
        ("Multipart/Form-Data ; boundary=\"=_a:b/c?(d),e.f+g'h\" ;", "form =_a:b/c?(d),e.f+g'h"),
        ("multipart/form-data", "400 invalid_form"), ("multipart/form-data; boundary=", "400 invalid_form"),
        ("multipart/form-data; boundary=\"\"", "400 invalid_form"),
        ("multipart/form-data; boundary=\"a\\\"b\"", "400 invalid_form"),
        ("multipart/form-data; boundary=\"a\\b\"", "400 invalid_form"),
        ("multipart/form-data; boundary=\"a \"", "400 invalid_form"),
        ("multipart/form-data; boundary=a=b", "400 invalid_form"),
        ("multipart/form-data; boundary=a b", "400 invalid_form"),
        ("multipart/form-data; boundary=\"a", "400 invalid_form"),
        ("multipart/form-data; boundary =a", "400 invalid_form"),
        ("multipart/form-data; boundary=ä", "400 invalid_form"),
        ("multipart/form-data; boundary=\"a\tb\"", "400 invalid_form"),
        ("multipart/form-data; boundary=BBB; boundary=AAA", "400 invalid_form"),
        ("multipart/form-data; boundary=AAA; boundary=AAA", "400 invalid_form"),
        ("multipart/form-data; BOUNDARY=BBB; boundary=AAA", "400 invalid_form"),
        ("multipart/form-data; boundary=BBB; boundary*=utf-8''AAA", "400 invalid_form"),
        ("multipart/form-data; boundary*0=B; boundary*1=AAA", "400 invalid_form"),
        ("multipart/form-data; x=\"; boundary=BBB\"; boundary=AAA", "400 invalid_form"),
        ("multipart/form-data; xboundary=BBB; boundary=AAA", "400 invalid_form"),
        ("multipart/form-data; boundary=AAA; charset=utf-7", "400 invalid_form"),
        ("multipart/form-data; boundary=AAA ; x=y", "form AAA"),
        ("multipart/form-data, x/y; boundary=AAA", "415 unsupported_media_type"),
        ("multipart/mixed; boundary=AAA", "415 unsupported_media_type"),
    ])
    func forms(value: String, outcome: String) { #expect(Self.outcome([value]) == outcome) }

    @Test func lengthOfABoundary() {
        let longest = String(repeating: "b", count: 70)
        #expect(Self.outcome(["multipart/form-data; boundary=\(longest)"]) == "form \(longest)")
        #expect(Self.outcome(["multipart/form-data; boundary=\(longest)b"]) == "400 invalid_form")
    }

    @Test(arguments: [
        ("application/json", "json"), ("Application/JSON", "json"), ("application/json;charset=utf-8", "json"),
        ("application/json; charset=\"UTF-8\"", "json"), ("application/json; Charset=Utf-8;", "json"),
        ("application/json; profile=x", "json"),
        ("application/json; charset=utf-7", "400 unsupported_media_type"),
        ("application/json; charset=utf-16", "400 unsupported_media_type"),
        ("application/json; charset=latin1", "400 unsupported_media_type"),
        ("application/json; charset=utf8", "400 unsupported_media_type"),
        ("application/json; charset=", "400 unsupported_media_type"),
        ("application/json; charset=utf-8; charset=utf-8", "400 unsupported_media_type"),
        ("application/json; charset=utf-8; CHARSET=utf-7", "400 unsupported_media_type"),
        ("application/json; charset*=utf-7''utf-7", "400 unsupported_media_type"),
        ("application/json; x=\"; charset=utf-7\"", "400 unsupported_media_type"),
        ("application/json; xcharset=utf-7", "400 unsupported_media_type"),
        ("application/json; charset = utf-8", "400 unsupported_media_type"),
        ("application/json x", "415 unsupported_media_type"), ("application/ json", "400 unsupported_media_type"),
        ("application/jsonp", "415 unsupported_media_type"), ("text/json", "415 unsupported_media_type"),
        ("application/x+json", "415 unsupported_media_type"), ("", "415 unsupported_media_type"),
        ("application/x-www-form-urlencoded", "415 unsupported_media_type"),
        ("application/json, multipart/form-data; boundary=a", "415 unsupported_media_type"),
    ])
    func json(value: String, outcome: String) { #expect(Self.outcome([value]) == outcome) }

    @Test func linesAreCounted() {
        #expect(Self.outcome([]) == "415 unsupported_media_type")
        #expect(Self.outcome(["application/json", "application/json"]) == "400 unsupported_media_type")
        let two = ["multipart/form-data; boundary=AAA", "x/y; boundary=BBB"]
        #expect(Self.outcome(two) == "400 unsupported_media_type")
    }

    @Test(arguments: [
        (nil, true), ("", true), ("a=b%20c", true), ("a=model&remodel=1&models=2&=model", true), ("a=%6dodel", true),
        ("model=expensive", false), ("model", false), ("a=1&MODEL=x", false), ("a=1;Model=x", false),
        ("mod%65l=x", false), ("%4D%4fdel=x", false), ("+model=x", false), ("model+=x", false), ("%20model=x", false),
        ("model[]=x", false), ("model%5B0%5D=x", false), ("model%00=x", false), ("&&model&", false),
        ("%zz=1&%=2&mod%=3", true),
    ])
    func queries(query: String?, isTaken: Bool) {
        do throws(HTTPFailure) {
            try ModelField.check(query: query)
            #expect(isTaken)
        } catch {
            #expect(!isTaken && error.status == .badRequest && error.error.code == "invalid_field")
        }
    }

    @Test func allThatCanBeJudgedBeforeTheBody() throws {
        func code(
            _ type: String = "application/json", encodings: [String] = [], query: String? = nil,
            path: String = "/v1/chat/completions"
        ) throws -> String? {
            let path = try #require(InferencePath(path))
            do throws(HTTPFailure) {
                _ = try InferenceContentType.check(
                    contentTypes: [type], contentEncodings: encodings, query: query, for: path)
                return nil
            } catch {
                return error.error.code
            }
        }
        #expect(try code() == nil && code(encodings: ["identity"]) == nil && code(encodings: ["Identity"]) == nil)
        #expect(try code(encodings: ["gzip"]) == "unsupported_content_encoding")
        #expect(try code(encodings: ["identity", "gzip"]) == "unsupported_content_encoding")
        #expect(try code(query: "model=m") == "invalid_field")
        let form = "multipart/form-data; boundary=a"
        #expect(try code(form) == "unsupported_media_type" && code(form, path: "/v1/audio/speech") == nil)
    }
}
