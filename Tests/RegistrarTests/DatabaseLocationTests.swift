import Testing

@testable import Registrar

@Suite struct DatabaseLocationTests {
    @Test(arguments: [
        ("sqlite:rollcall.sqlite", "rollcall.sqlite"),
        ("sqlite:/var/lib/rollcall/a b.sqlite", "/var/lib/rollcall/a b.sqlite"),
        ("sqlite:///var/lib/x.sqlite", "/var/lib/x.sqlite"),
        ("sqlite:./x", "./x"),
    ])
    func accepted(url: String, path: String) throws {
        #expect(try DatabaseLocation(url).path == path)
    }

    @Test(arguments: [
        ("postgres://localhost/rollcall", "sqlite:"), ("rollcall.sqlite", "sqlite:"), ("", "sqlite:"),
        ("sqlite:", "missing"), ("sqlite::memory:", "forget"), ("sqlite://host/x", "host"), ("sqlite:x?mode=ro", "?"),
        ("sqlite:/var/lib/", "folder"),
    ])
    func refused(url: String, says: String) {
        let error = #expect(throws: DatabaseLocationError.self) { try DatabaseLocation(url) }
        #expect(error?.reason.contains(says) == true)
    }

    @Test func itsFolder() throws {
        for (url, folder) in [("sqlite:a", "."), ("sqlite:/a", "/"), ("sqlite:/a/b.sqlite", "/a"), ("sqlite:a/b", "a")]
        {
            #expect(try DatabaseLocation(url).folder == folder)
        }
    }
}
