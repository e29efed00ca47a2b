import Catalog
import Testing

@testable import Registrar

/// What the texts of a request mean.
@Suite struct RepositoryReferenceTests {
    static let commit = SampleRepository.commit

    static let understood: [(text: String, repo: String, revision: String, filename: String?)] = [
        ("org/name", "org/name", "main", nil),
        ("Org/Name-1.5_b", "Org/Name-1.5_b", "main", nil),
        ("https://huggingface.co/Org/Name", "Org/Name", "main", nil),
        ("HTTPS://HuggingFace.co/Org/Name/", "Org/Name", "main", nil),
        ("http://huggingface.co/Org/Name", "Org/Name", "main", nil),
        ("https://huggingface.co:443/Org/Name", "Org/Name", "main", nil),
        ("huggingface.co/Org/Name", "Org/Name", "main", nil),
        ("hf.co/Org/Name", "Org/Name", "main", nil),
        ("www.huggingface.co/Org/Name", "Org/Name", "main", nil),
        ("https://hf.co/Org/Name?library=x#files", "Org/Name", "main", nil),
        ("https://huggingface.co/Org/Name/tree/main", "Org/Name", "main", nil),
        ("https://huggingface.co/Org/Name/tree/v1.0/", "Org/Name", "v1.0", nil),
        ("https://huggingface.co/Org/Name/tree/refs/pr/1", "Org/Name", "refs/pr/1", nil),
        ("https://huggingface.co/Org/Name/tree/refs%2Fpr%2F1", "Org/Name", "refs/pr/1", nil),
        ("https://huggingface.co/Org/Name/tree/feature%2Fx", "Org/Name", "feature/x", nil),
        ("https://huggingface.co/Org/Name/tree/\(commit)", "Org/Name", commit, nil),
        ("https://huggingface.co/Org/Name/blob/main/a-Q4_0.gguf", "Org/Name", "main", "a-Q4_0.gguf"),
        ("https://huggingface.co/Org/Name/resolve/dev/sub/a.gguf?download=true", "Org/Name", "dev", "sub/a.gguf"),
        ("https://huggingface.co/Org/Name/raw/refs/convert/gguf/a.gguf", "Org/Name", "refs/convert/gguf", "a.gguf"),
        ("https://huggingface.co/Org/Name/blob/main/a%20b%C3%A9.gguf", "Org/Name", "main", "a bé.gguf"),
        ("http://mirror.example:8080/hub/Org/Name/blob/main/a.gguf", "Org/Name", "main", "a.gguf"),
        ("mirror.example:8080/hub/Org/Name", "Org/Name", "main", nil),
    ]

    @Test(arguments: understood)
    func means(_ line: (text: String, repo: String, revision: String, filename: String?)) throws {
        let hub = try HubAddress("http://mirror.example:8080/hub/")
        let reference = try RepositoryReference(RegistrationRequest(repo: line.text), hub: hub)
        #expect(reference.repo == line.repo)
        #expect(reference.name == line.repo.lowercased())
        #expect(reference.revision == line.revision)
        #expect(reference.filename == line.filename)
    }

    static let refused: [(text: String, code: String)] = [
        ("", "repo_required"), ("  \n", "repo_required"),
        ("name", "invalid_repo"), ("org/", "invalid_repo"), ("/name", "invalid_repo"), ("a/b/c", "invalid_repo"),
        ("org//name", "invalid_repo"), ("org/na me", "invalid_repo"), ("org/name:", "invalid_repo"),
        ("org/..", "invalid_repo"), ("../name", "invalid_repo"), ("org/a..b", "invalid_repo"),
        ("org/a--b", "invalid_repo"), ("org/-a", "invalid_repo"), ("org/a.", "invalid_repo"),
        ("org/a.git", "invalid_repo"), ("org/\(String(repeating: "a", count: 97))", "invalid_repo"),
        ("org/name\u{0}", "invalid_repo"), ("org/name\r\nX: y", "invalid_repo"), ("org/näme", "invalid_repo"),
        ("org\u{FF0F}name", "invalid_repo"), ("org/na\u{202E}me", "invalid_repo"), ("оrg/name", "invalid_repo"),
        ("org\\name", "invalid_repo"), ("org/name?x", "invalid_repo"), ("org/%6Eame", "invalid_repo"),
        ("org%2Fname", "invalid_repo"), (String(repeating: "a/", count: 5120), "invalid_repo"),
        ("https://evil.example/org/name", "invalid_repo"), ("evil.example/org/name", "invalid_repo"),
        ("https://huggingface.co.evil.example/org/name", "invalid_repo"),
        ("https://evil.example/huggingface.co/org/name", "invalid_repo"),
        ("https://huggingface.co@evil.example/org/name", "invalid_repo"),
        ("https://user:secret@huggingface.co/org/name", "invalid_repo"),
        ("user@huggingface.co/org/name", "invalid_repo"),
        ("https://huggingface.co:8443/org/name", "invalid_repo"),
        ("https://huggingface.co:0/org/name", "invalid_repo"), ("https://huggingface.co:/org/name", "invalid_repo"),
        ("http://mirror.example/hub/org/name", "invalid_repo"),
        ("http://mirror.example:8080/org/name", "invalid_repo"),
        ("https://huggingface.co?@evil.example/org/name", "invalid_repo"),
        ("https://huggingface.co", "invalid_repo"), ("https://huggingface.co/", "invalid_repo"),
        ("https://huggingface.co/org", "invalid_repo"), ("https:///org/name", "invalid_repo"),
        ("file:///etc/passwd", "invalid_repo"), ("file:/etc/passwd", "invalid_repo"), ("file:org/name", "invalid_repo"),
        ("ftp://huggingface.co/org/name", "invalid_repo"), ("javascript:alert/1", "invalid_repo"),
        ("//huggingface.co/org/name", "invalid_repo"), ("http://[::1]/org/name", "invalid_repo"),
        ("http://127.0.0.1/org/name", "invalid_repo"), ("http://169.254.169.254/latest/meta-data", "invalid_repo"),
        ("datasets/org/name", "invalid_repo"), ("datasets/squad", "invalid_repo"), ("spaces/org/name", "invalid_repo"),
        ("https://huggingface.co/datasets/org/name", "invalid_repo"),
        ("https://huggingface.co/spaces/org/name", "invalid_repo"),
        ("https://huggingface.co/org/name/discussions/1", "invalid_repo"),
        ("https://huggingface.co/org/name/tree", "invalid_repo"),
        ("https://huggingface.co/org/name/blob/main", "invalid_repo"),
        ("https://huggingface.co/org/name/tree/main/folder", "invalid_repo"),
        ("https://huggingface.co/org/name/blob/main/a%zz", "invalid_repo"),
        ("https://huggingface.co/org/name/blob/main/a%FF", "invalid_repo"),
        ("https://huggingface.co/org/name/blob/main/../../x", "invalid_filename"),
        ("https://huggingface.co/org/name/blob/main/%2e%2e/x", "invalid_filename"),
        ("https://huggingface.co/org/name/blob/main/%2Fetc%2Fpasswd", "invalid_filename"),
        ("https://huggingface.co/org/name/blob/main/a%00", "invalid_filename"),
        ("https://huggingface.co/org/name/blob/main/a%5Cb", "invalid_filename"),
        ("https://huggingface.co/org/name/blob/main/a%E2%80%AEb", "invalid_filename"),
        ("https://huggingface.co/org/name/tree/..", "revision_not_found"),
        ("https://huggingface.co/org/name/tree/a%0Ab", "revision_not_found"),
    ]

    @Test(arguments: refused)
    func refuses(_ line: (text: String, code: String)) throws {
        let hub = try HubAddress("http://mirror.example:8080/hub")
        #expect(Self.code(RegistrationRequest(repo: line.text), hub: hub) == line.code)
    }

    static let tagged: [(text: String, quantization: String?, filename: String?)] = [
        ("org/name:Q8_0", "Q8_0", nil), ("hf.co/org/name:UD-Q4_K_XL", "UD-Q4_K_XL", nil), ("org/name:latest", nil, nil),
        ("https://hf.co/org/name:q4_k_m", "q4_k_m", nil), ("hf.co/org/name:LATEST", nil, nil),
        ("org/name:a-Q4_0.gguf", nil, "a-Q4_0.gguf"), (" org/name\n", nil, nil), ("\t org/name:Q8_0 \r\n", "Q8_0", nil),
        ("https://huggingface.co/org/name?show_file_info=a-Q8_0.gguf", nil, "a-Q8_0.gguf"),
        ("https://huggingface.co/org/name/tree/main?x=y&show_file_info=b%2Fa.gguf#L1", nil, "b/a.gguf"),
        ("org/name?show_file_info=a.gguf", nil, "a.gguf"), ("hf://org/name", nil, nil),
        ("hf://org/name@main", nil, nil),
        ("https://hf.co/org/name.git", nil, nil), ("https://huggingface.co/models/org/name", nil, nil),
        ("org/name@main", nil, nil),
    ]

    @Test(arguments: tagged)
    func meansTagged(_ line: (text: String, quantization: String?, filename: String?)) throws {
        let reference = try RepositoryReference(RegistrationRequest(repo: line.text), hub: .standard)
        #expect(reference.repo == "org/name" && reference.revision == "main")
        #expect(reference.quantization == line.quantization && reference.filename == line.filename)
    }

    @Test func givenAndTagged() throws {
        let same = try RepositoryReference(
            RegistrationRequest(repo: "org/name:Q8_0", quantization: "q8_0"), hub: .standard)
        #expect(same.quantization == "q8_0")
        let given = try RepositoryReference(
            RegistrationRequest(repo: "org/name:latest", quantization: "Q8_0"), hub: .standard)
        #expect(given.quantization == "Q8_0")
        #expect(Self.code(RegistrationRequest(repo: "org/name:Q8_0", quantization: "Q4_0")) == "invalid_repo")
        for text in ["org/name:a b", "org/name:a/b", "org/name:é", "org/name:\(String(repeating: "a", count: 65))"] {
            #expect(Self.code(RegistrationRequest(repo: text)) == "invalid_repo")
        }
        let climbing = RegistrationRequest(repo: "https://hf.co/org/name?show_file_info=..%2Fx")
        #expect(Self.code(climbing) == "invalid_filename")
    }

    @Test(arguments: ["datasets/a/b", "https://hf.co/datasets/a/b"])
    func namesDatasets(_ text: String) {
        #expect(Self.message(RegistrationRequest(repo: text)).contains("dataset"))
    }

    @Test(arguments: ["spaces/a/b", "https://hf.co/spaces/a/b"])
    func namesSpaces(_ text: String) {
        #expect(Self.message(RegistrationRequest(repo: text)).contains("Space"))
    }

    @Test(arguments: [
        "../x", "/etc/passwd", "a/../b", "a\\b", "a\u{0}b", "a\u{1F}", "a\u{202E}b", "a\u{200B}b", "a//b", ".", "..",
        String(repeating: "a", count: 10_240),
    ])
    func refusesFilenames(_ filename: String) {
        #expect(Self.code(RegistrationRequest(repo: "org/name", filename: filename)) == "invalid_filename")
    }

    @Test(arguments: [
        "..", "a..b", "a b", "a\u{0}", "a\nb", "/a", "a/", "a//b", "a~1", "a^", "a:b", "a?b", "a*b", "a[b", "a\\b",
        "a@{1}",
        "@", "a.", ".a", "a/.b", "a.lock", "é", "a\u{FF0F}b", "a\u{202E}", String(repeating: "a", count: 10_240),
    ])
    func refusesRevisions(_ revision: String) {
        #expect(Self.code(RegistrationRequest(repo: "org/name", revision: revision)) == "revision_not_found")
    }

    @Test func givenAndLocated() throws {
        let url = "https://huggingface.co/org/name/blob/dev/a.gguf"
        let same = try RepositoryReference(
            RegistrationRequest(repo: url, filename: "a.gguf", revision: "dev"), hub: .standard)
        #expect(same.revision == "dev" && same.filename == "a.gguf")
        #expect(Self.code(RegistrationRequest(repo: url, filename: "b.gguf")) == "invalid_filename")
        #expect(Self.code(RegistrationRequest(repo: url, revision: "main")) == "invalid_repo")
        let empty = try RepositoryReference(
            RegistrationRequest(repo: url, filename: "", revision: ""), hub: .standard)
        #expect(empty == same)
        let given = try RepositoryReference(
            RegistrationRequest(repo: "org/name", filename: "x/模型.gguf", revision: "refs/pr/3"), hub: .standard)
        #expect(given.revision == "refs/pr/3" && given.filename == "x/模型.gguf")
    }

    /// Whoever reads a message may not be whoever typed a password.
    @Test func messagesAreShortAndHarmless() {
        for (text, _) in Self.refused {
            let message = Self.message(RegistrationRequest(repo: text))
            #expect(message.utf8.count < 400)
            #expect(!message.contains("secret"))
            #expect(
                !message.unicodeScalars.contains { $0.properties.generalCategory == .control || $0.value == 0x202E })
        }
    }

    private static func rejection(_ request: RegistrationRequest, hub: HubAddress) -> Rejection? {
        do throws(Rejection) {
            _ = try RepositoryReference(request, hub: hub)
            return nil
        } catch {
            return error
        }
    }

    private static func code(_ request: RegistrationRequest, hub: HubAddress = .standard) -> String? {
        rejection(request, hub: hub)?.error.code
    }

    private static func message(_ request: RegistrationRequest) -> String {
        rejection(request, hub: .standard)?.error.message ?? ""
    }
}
