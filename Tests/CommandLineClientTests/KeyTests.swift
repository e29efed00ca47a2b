import JSON
import Testing

@testable import CommandLineClient

@Suite("rollcall keys", .timeLimit(.minutes(1)))
struct KeyTests {
    private static let record = """
        "created_at":"2026-11-22T20:00:00Z","expires_at":null,"id":"3f","models":null,"name":"laptop",\
        "scopes":["inference","models"]
        """

    @Test("The list")
    func list() async throws {
        let ran = try await rollcall("keys", "list") { _ in
            .json(
                #"{"keys":[{\#(Self.record)},{"id":"4a","name":"n","scopes":["models"],"models":["a/*","b"],"#
                    + #""expires_at":"2027-01-31T12:00:00Z","created_at":"2026-11-22T20:00:00Z"}],"total":2}"#)
        }
        #expect(
            ran.output == """
                ID  NAME    SCOPES             MODELS  EXPIRES               CREATED
                3f  laptop  inference, models  all     never                 2026-11-22T20:00:00Z
                4a  n       models             a/*, b  2027-01-31T12:00:00Z  2026-11-22T20:00:00Z

                """)
        #expect(ran.requests.map(\.path) == ["/v0/keys"])
    }

    @Test("A new key is all of the output; what to do with it is a note")
    func create() async throws {
        let ran = try await rollcall(
            "keys", "create", "laptop", "--scope", "models", "--scope", "inference", "--model", "qwen/*",
            "--expires-at", "2027-01-31T12:00:00Z"
        ) { _ in .json(#"{\#(Self.record),"key":"rc_abc"}"#, status: 201) }
        #expect(ran.output == "rc_abc\n")
        #expect(ran.notes == ["It is not shown again. To revoke it: rollcall keys revoke 3f"])
        let request = try #require(ran.requests.first)
        #expect(request.method == "POST" && request.path == "/v0/keys")
        #expect(
            request.fields == [
                "name": .string("laptop"), "scopes": .array([.string("models"), .string("inference")]),
                "models": .array([.string("qwen/*")]), "expires_at": .string("2027-01-31T12:00:00Z"),
            ])
        #expect(request.headers["idempotency-key"]?.count == 36)
        let json = try await rollcall("--json", "keys", "create", "laptop", "--scope", "models") { _ in
            .json(#"{"key":"rc_abc"}"#, status: 201)
        }
        #expect(json.output == #"{"key":"rc_abc"}"# + "\n")
        #expect(json.requests.first?.fields == ["name": .string("laptop"), "scopes": .array([.string("models")])])
    }

    @Test("A key that was lost on the way is a conflict, not another key")
    func lost() async throws {
        let ran = try await rollcall("keys", "create", "laptop", "--scope", "models") { _ in
            .error(409, "key_already_issued")
        }
        #expect(ran.status == .conflict && ran.output.isEmpty && ran.requests.count == 1)
        let strange = try await rollcall("keys", "create", "laptop", "--scope", "models") { _ in
            .json("{}", status: 201)
        }
        #expect(strange.status == .failure && strange.output.isEmpty)
    }

    @Test("A key that cannot be printed is lost: which one to revoke is told")
    func unprinted() async throws {
        let failure = CommandFailure(.failure, "standard output cannot be written: x", code: CommandFailure.outputCode)
        let ran = try await rollcall("keys", "create", "laptop", "--scope", "models", outputFailure: failure) { _ in
            .json(#"{\#(Self.record),"key":"rc_abc"}"#, status: 201)
        }
        #expect(ran.status == .failure && ran.notes.isEmpty)
        #expect(ran.failure?.hint?.hasSuffix("rollcall keys revoke 3f") == true)
    }

    @Test("A gateway without an admin key honours no key: that is said")
    func open() async throws {
        let warning = "This gateway is open: keys protect nothing until it has an admin key (ROLLCALL_ADMIN_KEY)."
        for (enforced, isTold) in [("true", false), ("false", true)] {
            let listed = try await rollcall("keys", "list") { _ in .json(#"{"enforced":\#(enforced),"keys":[]}"#) }
            #expect(listed.notes == (isTold ? [warning] : []))
            let made = try await rollcall("keys", "create", "n", "--scope", "models") { _ in
                .json(#"{"enforced":\#(enforced),"id":"3f","key":"rc_abc"}"#, status: 201)
            }
            #expect(made.output == "rc_abc\n" && made.notes.contains(warning) == isTold)
        }
    }

    @Test("Revoking")
    func revoke() async throws {
        let ran = try await rollcall("keys", "revoke", "3f") { _ in .init(status: 204) }
        #expect(ran.output == "revoked 3f\n")
        #expect(ran.requests.map { "\($0.method) \($0.path)" } == ["DELETE /v0/keys/3f"])
        let missing = try await rollcall("keys", "revoke", "3f") { _ in .error(404, "key_not_found") }
        #expect(missing.status == .notFound)
    }
}
