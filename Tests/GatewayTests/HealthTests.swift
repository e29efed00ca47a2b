import AMQP
import Catalog
import Foundation
import Testing

@testable import Gateway

@Suite struct HealthTests {
    @Test func readyWithAllThatIsKnown() async throws {
        let answer = try await Bench(Fleet.usual).send("GET", "/readyz")
        #expect(answer.status == 200)
        #expect(
            answer.text
                == #"{"age_seconds":1,"broker":{"consume":"connected","publish":"connected"},"ready":true,"#
                + #""reason":null,"unconfirmed":false,"version":"1-4"}"#)
    }

    @Test func staysReadyWithoutTheBroker() async throws {
        let bench = try Bench(Fleet.usual)
        bench.registrar.change {
            $0.publishing = .blocked(reason: "memory")
            $0.consuming = .disconnected(reason: "amqp://user:secret@host")
        }
        bench.catalog.setReadiness {
            $0.isCurrent = false
            $0.isUnconfirmed = true
            $0.reason = "disconnected"
        }
        bench.catalog.setAge(.seconds(99))
        let answer = try await bench.send("GET", "/readyz")
        #expect(answer.status == 200)
        let report = try answer.json()
        #expect(report["broker"] as? [String: String] == ["publish": "blocked", "consume": "disconnected"])
        #expect(report["age_seconds"] as? Int == 99 && report["unconfirmed"] as? Bool == true)
        #expect(!answer.text.contains("secret"))
        #expect(try await bench.send("GET", "/v1/models").header("X-Catalog-Age") == "99")
    }

    @Test func notReadyIs503AndStillAlive() async throws {
        let bench = try Bench()
        bench.catalog.setReadiness {
            $0.isReady = false
            $0.reason = "the stream has no checkpoint"
        }
        bench.catalog.setAge(nil)
        let answer = try await bench.send("GET", "/readyz")
        #expect(answer.status == 503 && answer.header("Retry-After") == "1")
        let report = try answer.json()
        #expect(report["ready"] as? Bool == false && report["age_seconds"] is NSNull)
        #expect(report["reason"] as? String == "the stream has no checkpoint")
        #expect((report["error"] as? [String: Any])?["code"] as? String == "catalog_not_ready")
        #expect(try await bench.send("GET", "/healthz").status == 200)
    }
}
