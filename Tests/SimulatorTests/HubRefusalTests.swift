import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import Simulator

@Suite("The Hub's refusals")
struct HubRefusalTests {
    /// Status, `X-Error-Code`, `X-Error-Message`, and body are those that were recorded of the real Hub.
    private func expect(_ response: TestResponse, as name: String, sourceLocation: SourceLocation = #_sourceLocation)
        throws
    {
        let recorded = try fixture("errors/\(name)").replacingOccurrences(of: "\r\n", with: "\n")
        let head = recorded.components(separatedBy: "\n\n")[0].components(separatedBy: "\n")
        let body = recorded.components(separatedBy: "\n\n").dropFirst().joined(separator: "\n\n")
        #expect(head[0].contains(" \(response.status.code) "), sourceLocation: sourceLocation)
        for header in [HTTPField.Name.errorCode, .errorMessage, .contentType, .location] {
            let expected = head.first { $0.lowercased().hasPrefix(header.canonicalName + ":") }
                .map { $0.dropFirst(header.rawName.count + 1).trimmingCharacters(in: .whitespaces) }
            #expect(response.headers[header] == expected, "\(header)", sourceLocation: sourceLocation)
        }
        let text = String(buffer: response.body).trimmingCharacters(in: .newlines)
        #expect(text == body.trimmingCharacters(in: .newlines), sourceLocation: sourceLocation)
    }

    @Test("Missing and private repositories, wrong tokens")
    func repositories() async throws {
        try await withHub { client in
            let uri = "/hub/api/models/no/thing"
            try expect(try await client.get(uri), as: "401_missing_or_private_anonymous.http")
            try expect(try await client.get(uri, token: "t"), as: "404_repo_not_found_authenticated.http")
            #expect(try await client.control(.patch, "", #"{"token":"good"}"#).status == .ok)
            try expect(try await client.get(uri, token: "bad"), as: "401_bad_token.http")
            try expect(try await client.get(uri, token: "good"), as: "404_repo_not_found_authenticated.http")
            _ = try await client.put("a/b", #"{"private":true}"#)
            try expect(try await client.get("/hub/api/models/a/b"), as: "401_missing_or_private_anonymous.http")
            #expect(try await client.get("/hub/api/models/a/b", token: "good").status == .ok)
        }
    }

    @Test("Revisions, files, and what is no address")
    func parts() async throws {
        try await withHub { client in
            _ = try await client.put("a/b", "{}")
            try expect(
                try await client.get("/hub/api/models/a/b/revision/badrev"), as: "404_revision_not_found.http")
            try expect(
                try await client.get("/hub/a/b/resolve/badrev/config.json"), as: "404_revision_not_found.http")
            let missing = try await client.get("/hub/a/b/resolve/main/model.safetensors")
            try expect(missing, as: "404_entry_not_found.http")
            #expect(missing.headers[.repositoryCommit]?.count == 40)
            for uri in ["/hub/", "/hub/api/models", "/hub/a/b/c", "/hub/api/models/a/b/tree/main/x"] {
                #expect(try await client.get(uri).status == .notFound)
            }
        }
    }

    @Test("A gated repository shows its metadata and keeps its files")
    func gated() async throws {
        try await withHub { client in
            for (id, token, name) in [
                ("google/gemma-2-2b-it", nil, "401_gated_anonymous.http"),
                ("facebook/sam3.1", "t", "403_gated_not_authorized.http"),
            ] {
                _ = try await client.put(id, #"{"gated":"manual","files":{"config.json":"{}"}}"#)
                let metadata = try object(try await client.get("/hub/api/models/\(id)"))
                #expect(metadata["gated"] as? String == "manual")
                let uri = "/hub/\(id)/resolve/main/config.json"
                try expect(try await client.get(uri, token: token), as: name)
                _ = try await client.control(.patch, "/repositories/\(id)", #"{"access_granted":true}"#)
                #expect(try await client.get(uri, token: "t").status == .ok)
                #expect(try await client.get(uri).status == .unauthorized)
            }
        }
    }

    @Test("Renamed repositories and another letter case are redirected, relative to the host")
    func redirects() async throws {
        try await withHub { client in
            _ = try await client.put("openai-community/gpt2", #"{"files":{"config.json":"{}"}}"#)
            _ = try await client.put("gpt2", #"{"renamed_to":"openai-community/gpt2"}"#)
            for (asked, place) in [
                ("/hub/api/models/gpt2", "/hub/api/models/openai-community/gpt2"),
                ("/hub/api/models/gpt2?blobs=true", "/hub/api/models/openai-community/gpt2?blobs=true"),
                (
                    "/hub/api/models/gpt2/revision/main?blobs=true",
                    "/hub/api/models/openai-community/gpt2/revision/main?blobs=true"
                ),
                (
                    "/hub/api/models/OpenAI-Community/GPT2/revision/main",
                    "/hub/api/models/openai-community/gpt2/revision/main"
                ),
                ("/hub/gpt2/resolve/main/config.json", "/hub/openai-community/gpt2/resolve/main/config.json"),
                (
                    "/hub/openai-community/GPT2/resolve/main/config.json",
                    "/hub/openai-community/gpt2/resolve/main/config.json"
                ),
            ] {
                let response = try await client.get(asked)
                #expect(response.status == .temporaryRedirect)
                #expect(response.headers[.location] == place)
                #expect(try await client.get(place).status == .ok)
            }
        }
    }
}
