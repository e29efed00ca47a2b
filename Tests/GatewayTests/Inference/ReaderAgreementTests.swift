import Catalog
import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import Gateway

/// Whenever the gateway takes a request and says that it is for one model, every reader of such bodies that we know
/// either fails or runs that very model.
@Suite struct ReaderAgreementTests {
    /// Cases of each of the two tests.
    private static let count =
        ProcessInfo.processInfo.environment["ROLLCALL_FUZZ_COUNT"].flatMap { Int($0) } ?? 12_000

    private static let formType = "multipart/form-data; boundary=AAA"

    // MARK: The readers fall for what the gateway refuses

    /// Without this, readers that fail at everything would agree with everything.
    @Test func readersAreDeceived() {
        let expensive = Array("expensive".utf8)
        func deceived(_ body: String, type: String = "application/json", charset: String = "utf-8") -> Set<String> {
            let body = Array(body.utf8)
            if type == "application/json" {
                return Set(
                    JSONReader.all.filter { $0.read(body, charset: charset) == .runs(expensive) }.map(\.description))
            }
            return Set(
                FormReader.all.filter { $0.read(body, contentType: type) == .runs(expensive) }.map(\.description))
        }
        let go: Set = ["Go", "Go's Decoder"]
        #expect(deceived(#"{"model":"cheap","MODEL":"expensive"}"#) == go)
        #expect(deceived(#"{"MODEL":"expensive","model":"cheap"}"#) == ["cJSON"])
        #expect(deceived(#"{"model":"cheap","+AG0-odel":"expensive"}"#, charset: "utf-7") == ["Express"])
        #expect(deceived(#"{"MODEL\u0000":"expensive","model":"cheap"}"#) == ["cJSON"])
        #expect(deceived(#"{"model":"expensive"}{"model":"cheap"}"#) == ["Go's Decoder", "cJSON"])

        let forms = Dictionary(uniqueKeysWithValues: InferenceFormTests.hidden.map { ($0.name, $0.body) })
        for (name, readers) in [
            "name_twice_last": ["FastAPI", "decoding"], "two_dispositions": ["FastAPI"],
            "filename_star": ["FastAPI", "decoding"],
            "lf_heads": ["FastAPI"], "name_star_before": ["Go", "Werkzeug", "aiohttp"],
            "filename_empty_before": ["Go", "cpp-httplib"],
            "split_at_semicolons": ["cpp-httplib"], "lf_boundary": ["Werkzeug"], "name_percent": ["decoding"],
            "quote_confusion": ["FastAPI"],
        ] {
            let found = deceived(forms[name] ?? "", type: Self.formType)
            #expect(found.isSuperset(of: readers), "\(name): \(found.sorted())")
        }
        let two = InferenceFormTests.named(#"name="model""#) + InferenceFormTests.end
        let other = (InferenceFormTests.good + InferenceFormTests.end).replacing("AAA", with: "BBB")
        #expect(deceived(two + other, type: "multipart/form-data; boundary=BBB; boundary=AAA").contains("FastAPI"))
    }

    @Test func readersRunWhatIsOrdinary() {
        let cheap = JSONReader.Result.runs(Array("cheap".utf8))
        let json = Array(#"{"a":[1,{"model":"x"}],"stream":true,"model":"cheap"}"#.utf8)
        for reader in JSONReader.all { #expect(reader.read(json) == cheap, "\(reader)") }
        let form = Array((InferenceFormTests.file + InferenceFormTests.good + InferenceFormTests.end).utf8)
        for reader in FormReader.all {
            #expect(reader.read(form, contentType: Self.formType) == cheap, "\(reader)")
        }
    }

    // MARK: Bodies by chance

    /// The body as the gateway takes it; nil if it refuses the request.
    private static func taken(
        _ body: [UInt8], type: String, query: String = "", path: String
    ) throws -> InferenceBody? {
        let path = try #require(InferencePath(path))
        do throws(HTTPFailure) {
            let type = try InferenceContentType.check(
                contentTypes: [type], contentEncodings: [], query: query, for: path)
            return try InferenceBody(ByteBuffer(bytes: body), as: type)
        } catch {
            #expect(error.status == .badRequest || error.status == .unsupportedMediaType)
            return nil
        }
    }

    /// What goes on, under the name that the client gave and under another one of the same model.
    private static func sent(_ body: InferenceBody) -> [(bytes: [UInt8], model: [UInt8])] {
        [body.model, "hf.co/the-same"].map { name in
            let pieces = body.pieces(naming: ModelID(name))
            return (pieces.flatMap { Array($0.readableBytesView) }, Array(name.utf8))
        }
    }

    @Test(arguments: 0..<4) func everyReaderOfJSONAgrees(seed: UInt64) throws {
        var generator = SmallGenerator(state: seed &+ 1)
        var taken = 0
        for _ in 0..<Self.count / 4 {
            let (bytes, type) = BodyMaker.json(&generator)
            guard let body = try Self.taken(bytes, type: type, path: "/v1/chat/completions") else { continue }
            taken += 1
            for (sent, model) in Self.sent(body) {
                for reader in JSONReader.all {
                    let result = reader.read(sent, charset: type.contains("utf-7") ? "utf-7" : "utf-8")
                    guard result != .fails, result != .runs(model) else { continue }
                    Issue.record("\(reader) runs \(result): \(type)\n\(String(decoding: sent, as: UTF8.self))")
                }
            }
        }
        #expect(taken > Self.count / 40)
    }

    @Test(arguments: 0..<4) func everyReaderOfFormsAgrees(seed: UInt64) throws {
        var generator = SmallGenerator(state: seed &+ 100)
        var taken = 0
        for _ in 0..<Self.count / 4 {
            let (bytes, type, query) = BodyMaker.form(&generator)
            guard let body = try Self.taken(bytes, type: type, query: query, path: "/v1/audio/transcriptions") else {
                continue
            }
            taken += 1
            for (sent, model) in Self.sent(body) {
                for reader in FormReader.all {
                    let result = reader.read(sent, contentType: type, query: query)
                    guard result != .fails, result != .runs(model) else { continue }
                    Issue.record("\(reader) runs \(result): \(type)\n\(String(decoding: sent, as: UTF8.self))")
                }
            }
        }
        #expect(taken > Self.count / 40)
    }
}
