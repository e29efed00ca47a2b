import Catalog
import Conventions
import Crypto
import Foundation
import HTTPTypes
import Testing

@testable import Gateway

/// `GET /v1/models` as clients of Anthropic's API ask for it.
@Suite struct AnthropicModelsTests {
    private static let version = ["anthropic-version": "2023-06-01"]
    /// Sorted as the list is.
    private static let ids = (10..<55).map { "org/model-\($0)" }

    private func bench(_ more: [CatalogMessage] = [], adminKey: String? = nil) throws -> Bench {
        try Bench(UnknownModelTests.fleet(Self.ids.shuffled()) + more, adminKey: adminKey)
    }

    private func get(
        _ bench: Bench, _ query: String = "", method: String = "GET", headers: [String: String] = [:]
    ) async throws -> Answer {
        try await bench.send(method, "/v1/models" + query, headers: Self.version.merging(headers) { $1 })
    }

    private func ids(_ answer: Answer) throws -> [String] {
        try #require(answer.json()["data"] as? [[String: Any]]).compactMap { $0["id"] as? String }
    }

    /// The ETag is a function of the bytes alone, so it is the same on every gateway.
    private func checkTag(_ answer: Answer, _ location: SourceLocation = #_sourceLocation) {
        let digest = SHA256.hash(data: answer.bytes).hexadecimal.prefix(32)
        #expect(answer.header("ETag") == "\"\(digest)\"", sourceLocation: location)
    }

    @Test func theShapeIsAnthropics() async throws {
        let bench = try Bench(Fleet.usual)
        let answer = try await get(bench)
        #expect(answer.status == 200 && answer.header("Content-Type") == "application/json")
        #expect(answer.header("X-Catalog-Version") == "1-4" && answer.header("X-Catalog-Age") == "1")
        let strange = "quote\"back\\slash\nline/\u{1F600}"
        let whole = try answer.json()
        #expect(Set(whole.keys) == ["data", "has_more", "first_id", "last_id"])
        #expect(whole["has_more"] as? Bool == false)
        #expect(whole["first_id"] as? String == "org/family/model" && whole["last_id"] as? String == strange)
        let data = try #require(whole["data"] as? [[String: String]])
        #expect(
            data
                == ["org/family/model", strange].map {
                    ["type": "model", "id": $0, "display_name": $0, "created_at": "2023-11-14T22:13:21Z"]
                })
        checkTag(answer)
        for path in ["/org/family/model", "/org%2Ffamily%2Fmodel"] {
            let one = try await get(bench, path)
            #expect(try one.status == 200 && one.json() as? [String: String] == data[0])
            #expect(answer.text.contains(one.text))
            checkTag(one)
        }
    }

    @Test func aFleetWithoutModelsIsAnEmptyPage() async throws {
        let answer = try await get(Bench())
        #expect(answer.text == #"{"data":[],"first_id":null,"has_more":false,"last_id":null}"#)
    }

    @Test func pagesFollowEachOther() async throws {
        let bench = try bench()
        let first = try await get(bench)
        #expect(try ids(first) == Array(Self.ids[..<20]) && first.json()["has_more"] as? Bool == true)
        #expect(try first.json()["last_id"] as? String == Self.ids[19])
        let second = try await get(bench, "?limit=20&after_id=\(Self.ids[19])")
        #expect(try ids(second) == Array(Self.ids[20..<40]) && second.json()["has_more"] as? Bool == true)
        let third = try await get(bench, "?after_id=org%2Fmodel-49")
        #expect(try ids(third) == Array(Self.ids[40...]) && third.json()["has_more"] as? Bool == false)
        #expect(try await ids(get(bench, "?limit=1000")) == Self.ids)
        #expect(try await ids(get(bench, "?limit=1")) == [Self.ids[0]])
        #expect(try await ids(get(bench, "?after_id=zzz")) == [])
    }

    @Test func aPageBeforeAnIDEndsJustBeforeIt() async throws {
        let bench = try bench()
        let before = try await get(bench, "?before_id=\(Self.ids[30])&limit=10")
        #expect(try ids(before) == Array(Self.ids[20..<30]) && before.json()["has_more"] as? Bool == true)
        #expect(try before.json()["first_id"] as? String == Self.ids[20])
        let start = try await get(bench, "?before_id=\(Self.ids[5])")
        #expect(try ids(start) == Array(Self.ids[..<5]) && start.json()["has_more"] as? Bool == false)
        #expect(try await ids(get(bench, "?before_id=a")) == [])
    }

    /// A model that is gone by the time of the next page ends nothing: the page begins where the model would stand.
    @Test func aModelThatIsGoneIsStillAPlace() async throws {
        let bench = try bench()
        #expect(try await ids(get(bench, "?after_id=org/model-29x&limit=2")) == ["org/model-30", "org/model-31"])
        #expect(try await ids(get(bench, "?before_id=org/model-29x&limit=2")) == ["org/model-28", "org/model-29"])
    }

    @Test func modelsOfEndpointsThatAreOfflineAreLeftOut() async throws {
        let bench = try Bench(
            UnknownModelTests.fleet(["a", "c"]) + [
                Fleet.record(Fleet.secondID, "beta", revision: 2),
                Fleet.row(Fleet.secondID, generation: 2, tick: 10, models: ["b", "c"]),
                Fleet.row(Fleet.secondID, generation: 2, tick: 11, state: .offline),
            ])
        #expect(try await ids(get(bench)) == ["a", "c"])
        #expect(try await ids(get(bench, "?after_id=a")) == ["c"])
        #expect(try await get(bench, "/b").status == 404)
    }

    @Test(arguments: [
        ("limit=0", "limit"), ("limit=1001", "limit"), ("limit=x", "limit"), ("limit=-1", "limit"),
        ("limit=1.5", "limit"),
        ("limit=99999999999999999999", "limit"), ("limit=+5", "limit"), ("after_id=a&before_id=b", "before_id"),
    ])
    func wrongPagesAre400(query: String, param: String) async throws {
        let answer = try await get(bench(), "?" + query)
        #expect(try answer.status == 400 && answer.errorCode(isTyped: true) == "invalid_page")
        #expect(try answer.errorParam() == param)
    }

    @Test func eachShapeHasItsOwnTag() async throws {
        let bench = try bench()
        let openAI = try await bench.send("GET", "/v1/models")
        let anthropic = try await get(bench)
        let one = try await get(bench, "/org/model-10")
        let oneOpenAI = try await bench.send("GET", "/v1/models/org/model-10")
        for answer in [openAI, oneOpenAI] { checkTag(answer) }
        #expect(Set([openAI, anthropic, one, oneOpenAI].compactMap { $0.header("ETag") }).count == 4)
        for (path, headers, answer) in [
            ("", Self.version, anthropic), ("/org/model-10", Self.version, one), ("", [:], openAI),
            ("/org/model-10", [:], oneOpenAI),
        ] {
            let tag = try #require(answer.header("ETag"))
            let same = try await bench.send(
                "GET", "/v1/models" + path, headers: headers.merging(["If-None-Match": tag]) { $1 })
            #expect(same.status == 304 && same.bytes.isEmpty && same.header("ETag") == tag)
            #expect(same.headers[values: .vary].joined(separator: ",").contains("anthropic-version"))
            let head = try await bench.send("HEAD", "/v1/models" + path, headers: headers)
            #expect(head.status == 200 && head.bytes.isEmpty && head.header("ETag") == tag)
            #expect(head.header("Content-Length") == "\(answer.bytes.count)")
        }
        let other = try await get(bench, headers: ["If-None-Match": try #require(openAI.header("ETag"))])
        #expect(other.status == 200)
    }

    /// One URL has two shapes, so caches must know by which field.
    @Test func everyAnswerVariesByTheVersion() async throws {
        let bench = try bench(Keys.usual, adminKey: Keys.admin)
        let key = ["X-API-Key": Keys.admin]
        for headers in [key, key.merging(Self.version) { $1 }, [:], Self.version] {
            for path in ["", "/org/model-10", "/nothing", "?limit=x", "?min_version=x"] {
                let answer = try await bench.send("GET", "/v1/models" + path, headers: headers)
                let vary = answer.headers[values: .vary].joined(separator: ",")
                #expect(vary.contains("anthropic-version"), "\(answer.status) \(path) \(vary)")
            }
        }
    }

    @Test func errorsHaveAnthropicsShapeToo() async throws {
        let bench = try bench(Keys.usual, adminKey: Keys.admin)
        let key = ["X-API-Key": Keys.admin]
        #expect(try await get(bench).errorCode(isTyped: true) == "missing_api_key")
        #expect(try await get(bench, headers: Keys.bearer("expired")).errorCode(isTyped: true) == "key_expired")
        #expect(try await get(bench, "/nothing", headers: key).errorCode(isTyped: true) == "model_not_found")
        #expect(try await get(bench, method: "POST", headers: key).errorCode(isTyped: true) == "method_not_allowed")
        #expect(try await bench.send("GET", "/v1/models/nothing", headers: key).errorCode() == "model_not_found")
        let lost = try await bench.send("POST", "/v1/v1/messages", headers: Self.version)
        #expect(try lost.errorCode(isTyped: true) == "route_not_found")
        bench.catalog.setReadiness { $0.isReady = false }
        #expect(try await get(bench, headers: key).errorCode(isTyped: true) == "catalog_not_ready")
    }

    @Test func aKeyWithPatternsPagesThroughItsModelsOnly() async throws {
        let key = Keys.made("some", scopes: [.models], models: ["org/model-?5"])
        let bench = try bench([key], adminKey: Keys.admin)
        let holder = Keys.bearer("some")
        let whole = try await get(bench, headers: holder)
        #expect(try ids(whole) == ["org/model-15", "org/model-25", "org/model-35", "org/model-45"])
        #expect(try whole.json()["has_more"] as? Bool == false)
        let page = try await get(bench, "?limit=2&after_id=org/model-20", headers: holder)
        #expect(try ids(page) == ["org/model-25", "org/model-35"] && page.json()["has_more"] as? Bool == true)
        #expect(try await get(bench, "/org/model-15", headers: holder).status == 200)
        #expect(try await get(bench, "/org/model-16", headers: holder).status == 404)
    }

    @Test(.timeLimit(.minutes(1))) func aVersionCanBeWaitedFor() async throws {
        let bench = try Bench(Fleet.usual)
        async let waiting = get(bench, "?min_version=1-5&wait=30s&limit=5")
        bench.catalog.apply([Fleet.row(Fleet.firstID, generation: 1, tick: 11, models: ["later"])])
        #expect(try await ids(waiting) == ["later"])
    }
}
