import Testing

@testable import Gateway

/// The query of an inference request goes on to an endpoint, and no key of the gateway may go with it.
@Suite struct QueryKeyTests {
    private func code(_ query: String, adminKey: String? = Keys.admin) async throws -> String {
        let bench = try Bench(Fleet.usual + Keys.usual, adminKey: adminKey)
        let headers = adminKey.map { ["X-API-Key": $0] } ?? [:]
        return try await bench.send("POST", "/v1/chat/completions?" + query, "{}", headers: headers).errorCode()
    }

    @Test(arguments: [
        "key=\(Keys.admin)", "key=rc_only-inference", "a=1&api_key=rc_only-models", "x=rc%5Fonly-models",
        "key=a&key=rc_only-admin",
    ])
    func aKeyOfThisGatewayIsRefused(query: String) async throws {
        #expect(try await code(query) == "key_in_query")
    }

    /// Without a connection an inference request that is let through ends with this.
    @Test(arguments: ["key=dummy", "key=rc_unknown", "key", "key=", "a=%", "beta=true"])
    func allElseGoesOn(query: String) async throws {
        #expect(try await code(query) == "gateway_stopping")
    }

    @Test func anOpenGatewayRefusesItToo() async throws {
        #expect(try await code("key=rc_only-inference", adminKey: nil) == "key_in_query")
        #expect(try await code("key=dummy", adminKey: nil) == "gateway_stopping")
    }
}
