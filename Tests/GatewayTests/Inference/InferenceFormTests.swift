import Catalog
import HTTPTypes
import NIOCore
import Testing

@testable import Gateway

/// Forms of inference: what is taken, and that whatever two parsers could read in two ways is refused.
@Suite struct InferenceFormTests {
    static func part(_ head: String, _ value: String) -> String { "--AAA\r\n\(head)\r\n\r\n\(value)\r\n" }
    static func named(_ rest: String, _ value: String = "expensive") -> String {
        part("Content-Disposition: form-data; \(rest)", value)
    }

    static let good = named(#"name="model""#, "cheap")
    static let file = named("name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav", "RIFF")
    static let end = "--AAA--\r\n"

    static func outcome(_ text: String, boundary: String = "AAA") -> String {
        do throws(HTTPFailure) {
            return try "runs " + InferenceBody(form: ByteBuffer(string: text), boundary: boundary).model
        } catch {
            return error.status == .badRequest ? error.error.code : "\(error.status)"
        }
    }

    private func fields(_ text: String, boundary: String = "B") throws -> [String: String] {
        try Array(text.utf8).withUnsafeBytes { buffer in
            var found: [String: String] = [:]
            for field in try MultipartScanner.fields(of: buffer, boundary: boundary) {
                found[field.name] = String(decoding: buffer[field.content], as: UTF8.self)
            }
            return found
        }
    }

    @Test func findsFieldsAmongFiles() throws {
        let text =
            "\r\n--BB\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a;b\"\r\nContent-Type: audio/x\r\n\r\n"
            + "--Bogus\r\n\r\n--\r\nname=\"model\"\r\n--BB\r\nX: y\r\nContent-Disposition:form-data;name=model\r\n\r\nwhisper\r\n"
            + "--BB\r\nContent-Disposition: form-data; name=\"a[]\"\r\n\r\n\r\n--BB--\r\n\r\n \t"
        #expect(try fields(text, boundary: "BB") == ["model": "whisper", "a[]": ""])
    }

    @Test(arguments: [
        "", "--B", "--B\r\n", "--B\r\n\r\nx", "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n",
        "--Bx\r\n", "nothing", "--B\r\nContent-Disposition: form-data", "--B\r\n\r\nx\r\n--B--",
    ])
    func refusesWhatIsNoForm(text: String) {
        #expect(throws: MultipartScanner.Malformed.self) { try fields(text) }
    }

    @Test func partsAreBounded() throws {
        let part = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n"
        #expect(try fields(String(repeating: part, count: 256) + "--B--") == ["a": ""])
        #expect(throws: MultipartScanner.Malformed.self) { try fields(String(repeating: part, count: 257) + "--B--") }
        func head(_ bytes: Int) -> String {
            "--B\r\nContent-Disposition: form-data; name=\"a\"\r\nX: \(String(repeating: "a", count: bytes))\r\n\r\nx\r\n--B--"
        }
        #expect(try fields(head(16_000)) == ["a": "x"])
        #expect(throws: MultipartScanner.Malformed.self) { try fields(head(20_000)) }
    }

    @Test func aFormNeedsOneModel() throws {
        func body(_ parts: [String]) throws -> InferenceBody {
            let text = parts.map { Self.named("name=\"\($0)\"", "v-\($0)") }.joined() + "--AAA--"
            return try InferenceBody(form: ByteBuffer(string: text), boundary: "AAA")
        }
        #expect(try body(["file", "model", "user"]).model == "v-model")
        #expect(try body(["model", "user"]).user == StickyKey("v-user"))
        #expect(try #require(throws: HTTPFailure.self) { try body(["file"]) }.error.code == "model_required")
        #expect(
            try #require(throws: HTTPFailure.self) { try body(["model", "model"]) }.error.code == "duplicate_field")
    }

    /// The forms of cases that once ran another model behind some server, and their kin.
    static let hidden: [(name: String, body: String)] =
        [
            ("name_twice_last", good + named(#"name="x"; name="model""#) + file),
            ("name_twice_first", named(#"name="model"; name="x""#, "cheap") + named(#"name="x"; name="model""#) + file),
            ("name_twice_case", good + named(#"name="x"; NAME="model""#) + file),
            ("name_upper", good + named(#"NAME="model""#) + file),
            ("two_dispositions", good + named("name=\"x\"\r\nContent-Disposition: form-data; name=\"model\"") + file),
            (
                "two_dispositions_case",
                good + named("name=\"x\"\r\ncontent-disposition: form-data; name=\"model\"") + file
            ),
            ("filename_star", good + named("name=\"model\"; filename*=utf-8''a") + file),
            ("filename_star_before", named("name=\"model\"; filename*=utf-8''a") + good + file),
            ("star_of_a_file", good + named("name=\"file\"; filename=\"a\"; filename*=utf-8''a")),
            ("name_star", good + named("name*=utf-8''model") + file),
            ("name_star_before", named("name*=utf-8''model") + good + file),
            ("name_star_0", named("name*0=mod; name*1=el") + good + file),
            ("filename_empty_before", named(#"name="model"; filename="""#) + good + file),
            ("filename_empty_behind", good + named(#"name="model"; filename="""#) + file),
            ("filename_before", named(#"name="model"; filename="a""#) + good + file),
            ("Model_case", good + named(#"name="MODEL""#) + file), ("only_Model", named(#"name="Model""#) + file),
            (
                "disposition_folded",
                good + part("Content-Disposition: form-data;\r\n name=\"model\"", "expensive") + file
            ),
            (
                "disposition_space_colon",
                good + part("Content-Disposition : form-data; name=\"model\"", "expensive") + file
            ),
            ("disposition_tab", good + part("Content-Disposition:\tform-data;\tname=\"model\"", "expensive") + file),
            ("attachment", good + part("Content-Disposition: attachment; name=\"model\"", "expensive") + file),
            ("Form-Data", good + part("Content-Disposition: Form-Data; name=\"x\"", "expensive") + file),
            ("no_type", good + part("Content-Disposition: name=\"model\"", "expensive") + file),
            ("no_disposition", good + part("Content-Type: text/plain", "expensive") + file),
            ("no_head", good + "--AAA\r\n\r\nexpensive\r\n" + file), ("no_name", good + named("x=y") + file),
            ("name_unquoted", good + named("name=model") + file),
            ("name_single_quotes", good + named("name='model'") + file),
            ("name_angles", good + named("name=<model>") + file),
            ("name_blank", good + named(#"name=" model""#) + file),
            ("name_escaped", good + named(#"name="mod\el""#) + file),
            ("name_percent", good + named(#"name="mod%65l""#) + file),
            ("name_list", good + named(#"name="model[]""#) + file),
            ("name_not_ascii", good + named(#"name="ｍodel""#) + file),
            ("quote_confusion", good + named(#"a="\"; name="x"; b="; name="model""#) + file),
            ("quote_confusion_2", good + named(#"x="; name=model; y=""#) + file),
            ("filename_escape", good + named(#"filename="a\"; name="x"; b="; name="model""#)),
            ("filename_last_backslash", good + named(#"name="file"; filename="a\""#)),
            ("split_at_semicolons", named(#"filename="; name=model; "; name="x""#) + good),
            ("empty_parameter", good + named(#"name="x";; a=b"#)), ("last_semicolon", good + named(#"name="x";"#)),
            (
                "lf_heads",
                good
                    + part(
                        "Content-Disposition: form-data; name=\"x\"\nContent-Disposition: form-data; name=\"model\"",
                        "expensive")
            ),
            ("cr_heads", good + named("name=\"x\"\r; name=\"model\"")),
            ("nul_heads", good + named("name=\"x\"\0; name=\"model\"")),
            ("tab_in_name", good + named("name=\"x\ty\"")), ("del_in_name", good + named("name=\"x\u{7F}\"")),
            ("lf_preamble", "x\n--AAA\nContent-Disposition: form-data; name=\"model\"\n\nexpensive\n" + good + file),
            ("preamble", "x\r\n" + good + file), ("empty_lines_before", "\r\n\r\n" + good + file),
            ("padding", named(#"name="model""#).replacing("--AAA\r\n", with: "--AAA \r\n") + good + file),
            (
                "longer_boundary",
                good + "--AAAB\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nexpensive\r\n" + file
            ),
            (
                "lf_boundary",
                named(#"name="x""#, "\n--AAA\nContent-Disposition: form-data; name=\"model\"\n\nexpensive") + good
            ),
            (
                "cr_boundary",
                named(#"name="x""#, "\r--AAA\rContent-Disposition: form-data; name=\"model\"\r\rexpensive") + good
            ),
            ("boundary_at_content", "--AAA\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n" + good),
            ("value_of_two_parts", good + named(#"name="model""#) + file),
            (
                "content_transfer_encoding",
                named("name=\"model\"\r\nContent-Transfer-Encoding: base64", "ZXhwZW5zaXZl") + file
            ),
            ("content_encoding", named("name=\"model\"\r\nContent-Encoding: gzip") + file),
            ("charset_field", named(#"name="_charset_""#, "utf-7") + good + named(#"name="+AG0-odel""#) + file),
            ("charset_of_a_part", named("name=\"model\"\r\nContent-Type: text/plain; charset=utf-16", "cheap") + file),
            ("model_as_octets", named("name=\"model\"\r\nContent-Type: application/octet-stream", "cheap") + file),
            ("nested", good + named("name=\"x\"\r\nContent-Type: Multipart/mixed; boundary=BBB")),
            ("part_length", named("name=\"x\"\r\nContent-Length: 3", "expensive") + good),
            ("part_length_sign", named("name=\"x\"\r\nContent-Length: +9", "expensive") + good),
            ("no_colon", good + named("name=\"x\"\r\nnothing")), ("odd_name", good + named("name=\"x\"\r\nX Y: z")),
        ].map { ($0.0, $0.1 + end) } + [
            ("epilogue", good + file + end + named(#"name="model""#) + end), ("epilogue_text", good + end + "x"),
            ("long_epilogue", good + end + String(repeating: " ", count: 64)),
        ]

    @Test func hiddenNames() {
        for (name, body) in Self.hidden {
            let outcome = Self.outcome(body)
            #expect(["invalid_form", "duplicate_field"].contains(outcome), "\(name): \(outcome)")
        }
        #expect(Self.outcome(Self.good + Self.file + Self.end) == "runs cheap")
    }

    /// What clients of today send.
    @Test(arguments: [
        #"name="file"; filename="C:\dir\a.wav""#, #"name="file"; filename="a%22b.wav""#,
        #"name="file"; filename="ä;ö.wav""#,
        #"name="file"; filename="a\\b.wav""#, "name=file; filename=a.wav", #"filename="a=b.wav"; name="file""#,
        #"name="timestamp_granularities[]""#, "name=\"x\"\r\nContent-Type: text/plain; charset=ISO-8859-1",
        "name=\"x\"\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\nContent-Length: 9",
        "name=\"x\"\r\nContent-Type: application/json", "name=\"model_name\"", "name=\"file\"; filename=\"\"",
    ])
    func ordinaryParts(head: String) {
        #expect(Self.outcome(Self.named(head) + Self.good + Self.end) == "runs cheap")
    }

    @Test func namesOfModels() {
        func outcome(_ model: String, _ more: String = "") -> String {
            Self.outcome(Self.named("name=\"model\"\(more)", model) + Self.end)
        }
        let longest = String(repeating: "m", count: 1024)
        #expect(outcome(longest) == "runs \(longest)" && outcome(longest + "m") == "invalid_model")
        #expect(outcome("") == "model_required" && outcome("ä") == "runs ä")
        #expect(outcome("m\r\n") == "invalid_model" && outcome("m\0") == "invalid_model")
        let latin = "\r\nContent-Type: text/plain; charset=ISO-8859-1"
        #expect(outcome("m", latin) == "runs m" && outcome("ä", latin) == "invalid_form")
        let bytes = Array(Self.good.utf8).dropLast(2) + [0xFF, 0x0D, 0x0A] + Array(Self.end.utf8)
        #expect(throws: HTTPFailure.self) { try InferenceBody(form: ByteBuffer(bytes: bytes), boundary: "AAA") }
    }

    @Test func anotherNameTakesTheModelsPlace() throws {
        let file = "--AAA\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n\0\u{1}--AAA\r\n"
        for length in ["", "\r\nContent-Length: 5", "\r\nContent-Length:  005 "] {
            let model = Self.named("name=\"model\"\(length)\r\nContent-Type: text/plain", "cheap")
            let sent = ByteBuffer(string: file + model + file + Self.end)
            let body = try InferenceBody(form: sent, boundary: "AAA")
            #expect(body.pieces(naming: ModelID("cheap")).map { String(buffer: $0) } == [String(buffer: sent)])
            let pieces = body.pieces(naming: ModelID("hf.co/other"))
            let whole = pieces.map { String(buffer: $0) }.joined()
            let expected = length.isEmpty ? "" : length.replacing("005", with: "5").replacing("5", with: "11")
            let renamed = Self.named("name=\"model\"\(expected)\r\nContent-Type: text/plain", "hf.co/other")
            #expect(whole == file + renamed + file + Self.end)
            #expect(body.contentLength(naming: ModelID("hf.co/other")) == whole.utf8.count)
            #expect(pieces.count == (length.isEmpty ? 3 : 5) && pieces.last?.sharesStorage(with: sent) == true)
        }
    }
}
