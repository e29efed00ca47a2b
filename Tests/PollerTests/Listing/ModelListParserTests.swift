import Catalog
import Testing

@testable import Poller

struct ModelListParserTests {
    func parse(_ body: String, as format: ListFormat = .openAI) throws(PollError) -> ModelListing {
        try ModelListParser.parse(EndpointAnswer(status: 200, body: Array(body.utf8)), as: format)
    }

    func ids(_ body: String) throws(PollError) -> [String] { try parse(body).models.map(\.id.value) }

    func code(_ body: String, as format: ListFormat = .openAI) -> String? {
        do throws(PollError) {
            _ = try parse(body, as: format)
            return nil
        } catch {
            return error.code.name
        }
    }

    @Test func idsThatDifferInNormalisationStayTwo() throws {
        let listing = try parse(#"{"data":[{"id":"caf\u00e9"},{"id":"cafe\u0301"},{"id":"café"}]}"#)
        #expect(listing.models.count == 2)
    }

    @Test func unprintableAndOverlongIDsAreLeftOut() throws {
        let long = String(repeating: "x", count: 513)
        let longest = String(repeating: "y", count: 512)
        let body =
            #"{"data":[{"id":"a\u0000b"},{"id":"a\nb"},{"id":"\u0085"},{"id":"\ud800"},{"id":"\#(long)"},{"id":"\#(longest)"},{"id":" "}]}"#
        let listing = try parse(body)
        #expect(listing.models.map(\.id.value) == [longest, " "])
        #expect(listing.skipped == 5)
    }

    @Test func nothingUsableIsAFailureAndNothingAtAllIsNot() throws {
        #expect(code(#"{"data":[{"id":""},{"id":7}]}"#) == "no_usable_entry")
        #expect(code(#"{"data":[]}"#) == nil)
        #expect(code("[]") == nil)
        #expect(code(#"["a","b"]"#) == "no_usable_entry")
        #expect(code(#"{"data":null}"#) == "no_list")
        #expect(code(#"{"data":{"id":"a"}}"#) == "no_list")
        #expect(code("null") == "no_list")
        #expect(code("3") == "no_list")
        #expect(code("  \n") == "empty_body")
        #expect(code("\u{FEFF}") == "empty_body")
        #expect(code(#"{"data":[]} trailing"#) == "not_json")
        #expect(code("\u{FEFF} <html>") == "html")
    }

    @Test func anErrorBesideTheListIsAnError() {
        #expect(code(#"{"object":"list","data":[],"error":{"message":"upstream"}}"#) == "error_body")
        #expect(code(#"{"object":"list","data":[],"error":null}"#) == nil)
        #expect(code(#"{"object":"list","data":[],"error":""}"#) == nil)
        #expect(code(#"{"models":[],"error":"x"}"#, as: .ollamaTags) == "error_body")
    }

    @Test(arguments: [
        ("4096", 4096), ("4096.0", 4096), (#""4096""#, 4096), ("4096.5", nil), ("0", nil), ("-1", nil), ("1e30", nil),
        ("99999999999999999999999", nil), ("true", nil), ("null", nil), (#""many""#, nil), ("1e400", nil),
    ])
    func numbersOfAllSorts(_ text: String, _ expected: Int?) throws {
        #expect(try parse(#"{"data":[{"id":"m","max_model_len":\#(text)}]}"#).models[0].contextLength == expected)
    }

    @Test func contextIsTheLoadedOneAndNeverTheTrainedOne() throws {
        let loaded = try parse(#"{"data":[{"id":"m","meta":{"n_ctx_train":131072,"n_ctx":4096,"n_params":5}}]}"#)
        #expect(loaded.models[0].contextLength == 4096)
        #expect(loaded.models[0].parameterCount == 5)
        #expect(try parse(#"{"data":[{"id":"m","meta":{"n_ctx_train":131072}}]}"#).models[0].contextLength == nil)
        let studio = try parse(
            #"{"data":[{"id":"m","state":"loaded","max_context_length":9,"loaded_context_length":5}]}"#, as: .lmStudioV0
        )
        #expect(studio.models[0].contextLength == 5)
        #expect(studio.models[0].loaded == true)
    }

    @Test func tenThousandModelsAreTheMost() throws {
        func body(_ count: Int) -> String {
            #"{"data":["# + (0..<count).map { #"{"id":"model-\#($0)"}"# }.joined(separator: ",") + "]}"
        }
        #expect(try ids(body(2000)).last == "model-1999")
        #expect(try ids(body(10_000)).count == 10_000)
        #expect(code(body(10_001)) == "too_many_models")
    }

    @Test func pagesAreMerged() throws {
        var first = try parse(#"{"data":[{"id":"a"}],"has_more":true,"last_id":"a"}"#)
        #expect(first.next == "a")
        let isNew = first.append(try parse(#"{"data":[{"id":"a"},{"id":"b"}],"has_more":false,"last_id":"b"}"#))
        #expect(isNew)
        #expect(first.models.map(\.id.value) == ["a", "b"])
        #expect(first.next == nil)
        let isNewAgain = first.append(try parse(#"{"data":[{"id":"b"}]}"#))
        #expect(!isNewAgain)
    }

    @Test(arguments: [
        ("7.6B", 7_600_000_000), ("137M", 137_000_000), ("671.03B", 671_030_000_000), ("26B-A4B", 26_000_000_000),
        ("999.89M", 999_890_000), ("1.5K", 1500), ("1T", 1_000_000_000_000), ("", nil), ("B", nil), ("7.6", nil),
        ("7.B", nil), (".5B", nil), ("7,6B", nil), ("-7B", nil), ("8x7B", nil), ("26B-4", nil), ("0B", nil),
        ("1.2345K", nil), ("99999999999T", nil), ("7.6.1B", nil),
    ])
    func parameterSizes(_ text: String, _ expected: Int64?) {
        #expect(ParameterSize.count(text) == expected)
    }
}
