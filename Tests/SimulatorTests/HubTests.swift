import Conventions
import Crypto
import Foundation
import HTTPTypes
import JSON
import NIOCore
import Testing

@testable import Simulator

@Suite("The Hub's repositories")
struct HubTests {
    @Test("An answer of the real Hub is served as it was given")
    func verbatim() async throws {
        let name = "model_blobs.granite_single_safetensors.json"
        let recorded = try fixture(name)
        let given = try JSONReader.read(Array(recorded.utf8))
        let id = "ibm-granite/granite-3.1-1b-a400m-instruct"
        try await withHub { client in
            _ = try await client.put(id, #"{"info":\#(recorded)}"#)
            for revision in ["", "/revision/main", "/revision/73154eec21d1b9803ca85a415ddc9cec1287a492"] {
                let response = try await client.get("/hub/api/models/\(id)\(revision)?blobs=true")
                #expect(response.status == .ok)
                #expect(try JSONReader.read(Array(response.body.readableBytesView)) == given)
            }
            let short = try await client.get("/hub/api/models/\(id)")
            #expect(try siblings(short).allSatisfy { $0.value.keys.elementsEqual(["rfilename"]) })
            #expect(short.headers[.rateLimit]?.hasPrefix(#""api";r=4"#) == true)
            #expect(short.headers[.rateLimitPolicy] == #""fixed window";"api";q=500;w=300"#)
        }
    }

    @Test("Fields that the Hub always has are added, whatever was given")
    func defaults() async throws {
        try await withHub { client in
            _ = try await client.put("a/b", "{}")
            let answer = try object(try await client.get("/hub/api/models/a/b"))
            #expect(answer["id"] as? String == "a/b" && answer["author"] as? String == "a")
            #expect((answer["sha"] as? String)?.count == 40)
            #expect(answer["gated"] as? Bool == false && (answer["siblings"] as? [Any])?.isEmpty == true)
        }
    }

    @Test("Text, generated weights, and files of a folder have the sizes and hashes of their bytes")
    func content() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("hub-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("sub"), withIntermediateDirectories: true)
        try Data("local weights".utf8).write(to: folder.appendingPathComponent("sub/model.gguf"))
        try Data("hello\n".utf8).write(to: folder.appendingPathComponent("LICENSE"))
        let body = """
            {"files":{"config.json":"hello\\n"},"generated":{"m.gguf":100003,"n.gguf":{"size":9,"variant":2}},
            "directory":"\(folder.path)"}
            """
        try await withHub { client in
            _ = try await client.put("a/b", body)
            let listed = try siblings(try await client.get("/hub/api/models/a/b?blobs=true"))
            #expect(listed.keys.sorted() == ["LICENSE", "config.json", "m.gguf", "n.gguf", "sub/model.gguf"])
            // printf 'hello\n' | git hash-object --stdin
            for name in ["config.json", "LICENSE"] {
                #expect(listed[name]?["blobId"] as? String == "ce013625030ba8dba906f756967f9e9ca394464a")
                #expect(listed[name]?["lfs"] == nil)
            }
            for (name, entry) in listed {
                let file = try await client.get("/hub/a/b/resolve/main/\(name)")
                #expect(file.status == .ok && file.body.readableBytes == entry["size"] as? Int)
                guard let lfs = entry["lfs"] as? [String: Any] else { continue }
                let hash = SHA256.hash(data: Data(file.body.readableBytesView)).hexadecimal
                #expect(lfs["sha256"] as? String == hash)
                #expect(file.headers[.eTag] == "\"\(hash)\"" && file.headers[.linkedSize] != nil)
            }
        }
        try FileManager.default.removeItem(at: folder)
    }

    @Test("Parts of a file")
    func ranges() async throws {
        try await withHub { client in
            _ = try await client.put("a/b", #"{"generated":{"m.gguf":70000}}"#)
            let uri = "/hub/a/b/resolve/main/m.gguf"
            let whole = Array((try await client.get(uri)).body.readableBytesView)
            for (range, expected) in [
                ("bytes=3-12", 3..<13), ("bytes=65530-", 65530..<70000), ("bytes=-5", 69995..<70000),
            ] {
                let part = try await client.get(uri, range: range)
                #expect(part.status == .partialContent)
                let isSame = part.body.readableBytesView.elementsEqual(whole[expected])
                #expect(isSame)
                #expect(
                    part.headers[.contentRange] == "bytes \(expected.lowerBound)-\(expected.upperBound - 1)/70000")
            }
            #expect(try await client.get(uri, range: "bytes=70000-").status == .rangeNotSatisfiable)
            let head = try await client.execute(uri: uri, method: .head) { $0 }
            #expect(head.headers[.contentLength] == "70000" && head.body.readableBytes == 0)
        }
    }

    @Test("Another PUT is another commit; the one before stays readable, and branches name either")
    func commits() async throws {
        try await withHub { client in
            let first = try await client.put("a/b", #"{"files":{"config.json":"1"},"info":{"downloads":1}}"#)
            let sha = try #require(first.revisions["main"])
            let second = try await client.put("a/b", #"{"files":{"config.json":"2"},"revisions":{"v1":"\#(sha)"}}"#)
            #expect(second.revisions == ["main": sha, "v1": sha] && second.commits.count == 2)
            let third = try await client.put("a/b", #"{"files":{"config.json":"2"}}"#)
            let newer = try #require(third.revisions["main"])
            #expect(newer != sha && third.revisions["v1"] == sha && third.commits.count == 2)
            for (revision, text, commit) in [("main", "2", newer), ("v1", "1", sha), (sha, "1", sha)] {
                let file = try await client.get("/hub/a/b/resolve/\(revision)/config.json")
                #expect(String(buffer: file.body) == text && file.headers[.repositoryCommit] == commit)
                let answer = try object(try await client.get("/hub/api/models/a/b/revision/\(revision)"))
                #expect(answer["sha"] as? String == commit)
            }
            let unknown = try await client.control(.put, "/repositories/a/b", #"{"revisions":{"main":"nothing"}}"#)
            #expect(unknown.status == .badRequest)
        }
    }

    @Test("The sha that was given is taken, but never for other content")
    func givenShas() async throws {
        let sha = String(repeating: "ab", count: 20)
        try await withHub { client in
            let info = #"{"info":{"sha":"\#(sha)"}"#
            #expect(try await client.put("a/b", info + "}").revisions["main"] == sha)
            #expect(try await client.put("a/b", info + "}").commits == [sha])
            let other = try await client.put("a/b", info + #","files":{"x":"y"}}"#)
            #expect(other.revisions["main"] != sha && other.commits.contains(sha))
            let forced = String(repeating: "12", count: 20)
            let body = #"{"commit":"\#(forced)","revisions":{"refs/pr/1":"\#(forced)"}}"#
            #expect(try await client.put("a/b", body).revisions["refs/pr/1"] == forced)
            let answer = try object(try await client.get("/hub/api/models/a/b/revision/refs%2Fpr%2F1"))
            #expect(answer["sha"] as? String == forced)
        }
    }

    @Test("Downloads change without a commit")
    func changes() async throws {
        try await withHub { client in
            let before = try await client.put("a/b", #"{"info":{"downloads":1,"likes":2}}"#)
            let change = #"{"info":{"downloads":7},"gated":"auto","private":false}"#
            #expect(try await client.control(.patch, "/repositories/A/B", change).status == .ok)
            let answer = try object(try await client.get("/hub/api/models/a/b"))
            #expect(answer["downloads"] as? Int == 7 && answer["likes"] as? Int == 2)
            #expect(answer["sha"] as? String == before.revisions["main"] && answer["gated"] as? String == "auto")
            #expect(try await client.control(.delete, "/repositories/a/b", "").status == .noContent)
            #expect(try await client.control(.patch, "/repositories/a/b", "{}").status == .notFound)
            #expect(try await client.control(.get, "/repositories/a/b", "").status == .notFound)
        }
    }

    @Test("The demonstration has each shape")
    func demonstration() async throws {
        try await withHub { client in
            let names = try siblings(try await client.get("/hub/api/models/Qwen/Qwen3-8B-Instruct-GGUF?blobs=true"))
            #expect(names.keys.filter { $0.hasSuffix(".gguf") }.count == 5)
            let sharded = try await client.get("/hub/api/models/Qwen/Qwen3-14B-Instruct")
            #expect(try siblings(sharded)["model-00002-of-00002.safetensors"] != nil)
            #expect(try await client.get("/hub/api/models/Qwen/Qwen3-14B-Chat").status == .temporaryRedirect)
        }
        let fleet = sampleFleet()
        try await withClient(fleet) { client in
            let response = try await client.get("/hub/api/models/Qwen/Qwen3-14B-Instruct")
            #expect(response.status == .notFound)
        }
    }
}
