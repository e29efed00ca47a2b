import Catalog
import Testing

@testable import Registrar

@Suite struct ConfiguredEndpointsTests {
    @Test func parsed() throws {
        let endpoints = try ConfiguredEndpoints(" a=http://A:8000/v1/ , b = https://b/x ,,")
        #expect(
            endpoints.entries == [
                .init(name: "a", baseURL: "http://a:8000"), .init(name: "b", baseURL: "https://b/x"),
            ])
        #expect(try ConfiguredEndpoints("").entries.isEmpty)
    }

    @Test(arguments: [
        ("http://a:8000", "no name"), ("a", "no name"), ("a=", "\"a\""), ("a b=http://c", "\"a b\""),
        ("a=http://b,a=http://c", "twice"), ("a=http://b,c=http://b/v1", "same URL"), ("a=ftp://b", "\"a\""),
    ])
    func refused(text: String, says: String) {
        let error = #expect(throws: ConfiguredEndpointsError.self) { try ConfiguredEndpoints(text) }
        #expect(error?.reason.contains(says) == true)
    }

    @Test func madeOnce() async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        let entries = try ConfiguredEndpoints("a=http://a,b=http://b")
        #expect(try await store.apply(entries, at: noon) == [.created(name: "a"), .created(name: "b")])
        #expect(try await store.apply(entries, at: noon).isEmpty)
        let records = try await store.records()
        #expect(records.map(\.name) == ["a", "b"])
        #expect(records.map(\.revision) == [1, 2])
        #expect(records.map(\.generation) == [1, 2])
        #expect(words(try #require(await store.backlog()).messages) == ["a 1", "b 2"])
    }

    @Test func oneThatWasDeletedStaysDeletedUntilItsEntryChanges() async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        let entries = try ConfiguredEndpoints("a=http://a")
        _ = try await store.apply(entries, at: noon)
        let id = try #require(await store.records().first).id
        _ = try await store.execute(command("d", .deleteEndpoint(id: id)), at: noon)
        #expect(try await store.apply(entries, at: noon).isEmpty)
        #expect(try await files.open().apply(entries, at: noon).isEmpty, "nor after a new start")
        #expect(try await store.records().isEmpty)

        let changed = try ConfiguredEndpoints("a=http://a:81")
        #expect(try await store.apply(changed, at: noon) == [.created(name: "a")])
        let record = try #require(await store.records().first)
        #expect(record.baseURL == "http://a:81")
        #expect(record.id != id)
    }

    @Test func whatExistsIsLeftAsItIs() async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        try await store.create(draft(1, name: "a", url: "http://mine"))
        let entries = try ConfiguredEndpoints("a=http://theirs")
        #expect(try await store.apply(entries, at: noon) == [.differs(name: "a", baseURL: "http://mine")])
        #expect(try await store.apply(entries, at: noon).isEmpty, "said once")
        #expect(try await store.records().map(\.baseURL) == ["http://mine"])
        _ = try await store.execute(command("d", .deleteEndpoint(id: uuid(1))), at: noon)
        #expect(try await store.apply(entries, at: noon).isEmpty, "deleted by command")
    }

    @Test func aURLOfAnotherIsWaitedFor() async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        try await store.create(draft(1, name: "mine", url: "http://a"))
        let entries = try ConfiguredEndpoints("a=http://a")
        #expect(try await store.apply(entries, at: noon) == [.refused(name: "a", code: "base_url_taken")])
        #expect(try await store.state().revision == 1)
        _ = try await store.execute(command("d", .deleteEndpoint(id: uuid(1))), at: noon)
        #expect(try await store.apply(entries, at: noon) == [.created(name: "a")])
    }
}
