import Launch
import Testing

@testable import Registrar

@Suite struct HubSettingsTests {
    @Test func names() {
        #expect(HubSettings.all.map(\.name) == ["HF_ENDPOINT", "HF_BASE_URL", "HF_TOKEN"])
        #expect(HubSettings.all.map(\.argument) == ["--hf-endpoint", "--hf-base-url", "--hf-token"])
        #expect(HubSettings.all.map(\.fileKey) == ["hf_endpoint", "hf_base_url", "hf_token"])
        #expect(HubSettings.token.isSecret)
    }

    @Test(
        arguments: [
            ([:], "https://huggingface.co"), (["HF_ENDPOINT": ""], "https://huggingface.co"),
            (["HF_ENDPOINT": "https://hub.example/"], "https://hub.example"),
            (["HF_BASE_URL": "http://127.0.0.1:8500"], "http://127.0.0.1:8500"),
            (["HF_ENDPOINT": "http://a", "HF_BASE_URL": "http://b"], "http://a"),
            (["HF_ENDPOINT": "HTTPS://Hub.Example:443/api//"], "https://hub.example/api"),
            (["HF_ENDPOINT": "http://hub.example/v1"], "http://hub.example/v1"),
            (["HF_ENDPOINT": "http://[::1]:8080"], "http://[::1]:8080"),
        ] as [([String: String], String)])
    func endpoint(_ environment: [String: String], _ expected: String) throws {
        let read = try HubSettings.read(ProcessSettings(environment: environment))
        #expect(read.hub.text == expected)
        #expect(read.token == nil)
    }

    @Test(arguments: [
        "huggingface.co", "ftp://huggingface.co", "file:///etc", "https://", "https://user:secret@hub.example",
        "https://hub.example?token=secret", "https://hub.example#secret", "https://hub.example:0", "https://a b",
        "https://hub.example/../x",
    ])
    func wrongEndpoint(_ text: String) {
        for name in ["HF_ENDPOINT", "HF_BASE_URL"] {
            do throws(SettingError) {
                _ = try HubSettings.read(ProcessSettings(environment: [name: text]))
                Issue.record("accepted \(text)")
            } catch {
                #expect(error.description.hasPrefix("\(name): "))
                #expect(!error.description.contains("secret"))
            }
        }
    }

    @Test func token() throws {
        #expect(try HubSettings.read(ProcessSettings(environment: ["HF_TOKEN": "hf_abc"])).token == "hf_abc")
        for text in ["hf a", "hf\u{0}", "hf\n", "hfé", String(repeating: "x", count: 1025)] {
            do throws(SettingError) {
                _ = try HubSettings.read(ProcessSettings(environment: ["HF_TOKEN": text]))
                Issue.record("accepted")
            } catch {
                #expect(error.description.hasPrefix("HF_TOKEN: ") && !error.description.contains("hf"))
            }
        }
    }

    @Test func tokenFromAFile() throws {
        let file = TemporaryTextFile("hf_from_file\n")
        defer { file.remove() }
        let read = try HubSettings.read(ProcessSettings(environment: ["HF_TOKEN_FILE": file.path]))
        #expect(read.token == "hf_from_file")
        #expect(throws: SettingError.self) {
            try HubSettings.read(ProcessSettings(environment: ["HF_TOKEN_FILE": file.path, "HF_TOKEN": "x"]))
        }
    }

    @Test func urls() throws {
        let hub = try HubAddress("http://hub.example:8080/mirror")
        #expect(
            hub.information(of: "O/N", revision: "refs/pr/1", blobs: true)
                == "http://hub.example:8080/mirror/api/models/O/N/revision/refs%2Fpr%2F1?blobs=true")
        #expect(
            hub.file("a b/ü#?%.gguf", of: "O/N", commit: "c0")
                == "http://hub.example:8080/mirror/O/N/resolve/c0/a%20b/%C3%BC%23%3F%25.gguf")
        #expect(hub.origin == HubAddress.Origin(isTLS: false, host: "hub.example", port: 8080))
    }
}
