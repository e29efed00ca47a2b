import Catalog
import Foundation
import Testing

@testable import Gateway

@Suite struct ModelRoutesTests {
    @Test func listIsTheCatalogsBytesWithItsHeaders() async throws {
        let bench = try Bench(Fleet.usual)
        let answer = try await bench.send("GET", "/v1/models")
        #expect(answer.status == 200)
        #expect(answer.bytes == bench.catalog.modelList.bytes)
        #expect(answer.header("ETag") == bench.catalog.modelList.etag)
        #expect(answer.header("Content-Type") == "application/json")
        #expect(answer.header("Content-Length") == "\(answer.bytes.count)")
        #expect(answer.header("X-Catalog-Version") == "1-4")
        #expect(answer.header("X-Catalog-Age") == "1")
        let data = try #require(try answer.json()["data"] as? [[String: Any]])
        #expect(data.map { $0["id"] as? String } == ["org/family/model", "quote\"back\\slash\nline/\u{1F600}"])
    }

    @Test func bytesHeldForTheNetworkFollowTheList() async throws {
        let bench = try Bench(Fleet.usual)
        let before = try await bench.send("GET", "/v1/models")
        bench.catalog.apply([Fleet.row(Fleet.firstID, generation: 1, tick: 11, models: ["other"])])
        let after = try await bench.send("GET", "/v1/models")
        #expect(after.bytes == bench.catalog.modelList.bytes)
        #expect(after.bytes != before.bytes)
        #expect(after.header("ETag") != before.header("ETag"))
    }

    @Test func emptyFleetIsAnEmptyList() async throws {
        let answer = try await Bench().send("GET", "/v1/models")
        #expect(answer.text == #"{"object":"list","data":[]}"#)
    }

    @Test func headHasTheHeadersAndNoBody() async throws {
        let bench = try Bench(Fleet.usual)
        for path in ["/v1/models", "/v1/models/org/family/model", "/v0/endpoints", "/healthz", "/readyz"] {
            let get = try await bench.send("GET", path)
            let head = try await bench.send("HEAD", path)
            #expect(head.status == 200 && head.bytes.isEmpty, "\(path)")
            #expect(head.header("Content-Length") == "\(get.bytes.count)", "\(path)")
            #expect(head.header("ETag") == get.header("ETag"), "\(path)")
        }
        let missing = try await bench.send("HEAD", "/v1/models/none")
        #expect(missing.status == 404 && missing.bytes.isEmpty)
    }

    @Test func ifNoneMatchAnswers304() async throws {
        let bench = try Bench(Fleet.usual)
        let etag = bench.catalog.modelList.etag
        for condition in [etag, "W/\(etag)", "*", "\"a,b\", \(etag)", "\"x\",W/\"y\" , W/\(etag)"] {
            let answer = try await bench.send("GET", "/v1/models", headers: ["If-None-Match": condition])
            #expect(answer.status == 304 && answer.bytes.isEmpty, "\(condition)")
            #expect(answer.header("ETag") == etag && answer.header("X-Catalog-Version") == "1-4")
        }
        let unquoted = etag.filter { $0 != "\"" }
        for condition in ["\"other\"", unquoted, "\"\(unquoted)x\"", "W/", "\"open", "\"x\", *"] {
            let answer = try await bench.send("GET", "/v1/models", headers: ["If-None-Match": condition])
            #expect(answer.status == 200, "\(condition)")
        }
    }

    @Test(arguments: [
        "/v1/models/org/family/model", "/v1/models/org%2Ffamily%2fmodel", "/v1/models/org%2Ffamily/model",
        "/v1/models/%6Frg/family/model", "/v1/models/org/family/model/", "/%76%31/models/org/family/model",
    ])
    func slashesMayBeEncodedOrNot(path: String) async throws {
        let answer = try await Bench(Fleet.usual).send("GET", path)
        #expect(answer.status == 200)
        #expect(try answer.json()["id"] as? String == "org/family/model")
        #expect(answer.header("X-Catalog-Version") == "1-4")
    }

    @Test func entryIsTheSameBytesAsInTheList() async throws {
        let bench = try Bench(Fleet.usual)
        let path = "/v1/models/quote%22back%5Cslash%0Aline%2F%F0%9F%98%80"
        let answer = try await bench.send("GET", path)
        #expect(answer.status == 200)
        #expect(try await bench.send("GET", "/v1/models").text.contains(answer.text))
    }

    @Test func unknownModelIs404() async throws {
        let bench = try Bench(Fleet.usual)
        for path in [
            "/v1/models/none", "/v1/models/org", "/v1/models/org/family/model//", "/v1/models//org",
            "/v1/models/org/family/model%2F",
        ] {
            let answer = try await bench.send("GET", path)
            #expect(answer.status == 404, "\(path)")
            #expect(try answer.errorCode() == "model_not_found")
        }
        for path in ["/v1/models/%zz", "/v1/models/%ff", "/v1/models/a%2"] {
            let answer = try await bench.send("GET", path)
            #expect(answer.status == 400, "\(path)")
            #expect(try answer.errorCode() == "invalid_path")
        }
    }

    @Test func notReadyIs503NeverAnEmptyList() async throws {
        let bench = try Bench()
        bench.catalog.setReadiness {
            $0.isReady = false
            $0.reason = "no checkpoint"
        }
        for path in ["/v1/models", "/v1/models/a", "/v1/models?min_version=1-1", "/v0/endpoints", "/v0/operations/a"] {
            let answer = try await bench.send("GET", path)
            #expect(answer.status == 503, "\(path)")
            #expect(try answer.errorCode() == "catalog_not_ready")
            #expect(answer.header("Retry-After") == "1")
        }
    }

    @Test func reachedVersionsAreAnsweredAtOnce() async throws {
        let bench = try Bench(Fleet.usual)
        for version in ["1-4", "1-0", "0-99999"] {
            let answer = try await bench.send("GET", "/v1/models?min_version=\(version)&wait=0s")
            #expect(answer.status == 200, "\(version)")
        }
        for version in ["1-5", "2-0"] {
            let answer = try await bench.send("GET", "/v1/models?min_version=\(version)&wait=20ms")
            #expect(answer.status == 504, "\(version)")
            #expect(try answer.errorCode() == "version_not_reached")
        }
        #expect(try await bench.send("GET", "/v1/models/org/family/model?min_version=1-5").status == 504)
    }

    @Test(.timeLimit(.minutes(1))) func waitEndsWhenTheVersionIsApplied() async throws {
        let bench = try Bench(Fleet.usual)
        async let waiting = bench.send("GET", "/v1/models?min_version=1-5&wait=30s")
        bench.catalog.apply([Fleet.row(Fleet.firstID, generation: 1, tick: 11, models: ["later"])])
        let answer = try await waiting
        #expect(answer.status == 200)
        #expect(answer.header("X-Catalog-Version") == "1-5")
        #expect(answer.text.contains("later"))
    }

    @Test(arguments: [
        "wait=2", "wait=s", "wait=31s", "wait=-1s", "wait=1.5s", "wait=30001ms", "wait=99999999999999999999s",
        "wait=2h&min_version=1-1",
    ])
    func malformedWaitIs400(query: String) async throws {
        let answer = try await Bench(Fleet.usual).send("GET", "/v1/models?\(query)")
        #expect(answer.status == 400)
        #expect(try answer.errorCode() == "invalid_wait" && answer.errorParam() == "wait")
    }

    @Test(arguments: ["1", "a-b", "1-2-3", "-1-2", "1-"])
    func malformedVersionIs400(version: String) async throws {
        let answer = try await Bench(Fleet.usual).send("GET", "/v1/models?min_version=\(version)")
        #expect(answer.status == 400)
        #expect(try answer.errorCode() == "invalid_version")
    }
}
