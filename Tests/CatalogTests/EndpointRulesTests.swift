import Catalog
import Testing

@Suite struct EndpointRulesTests {
    @Test(arguments: [
        ("http://h", "http://h"),
        ("http://h/", "http://h"),
        ("http://h/v1", "http://h"),
        ("http://h/v1/", "http://h"),
        ("http://h/v1//", "http://h"),
        ("http://h/openai", "http://h/openai"),
        ("http://h/openai/v1", "http://h/openai"),
        ("http://h/openaiv1", "http://h/openaiv1"),
        ("http://h/V1", "http://h/V1"),
        ("HTTP://Host.Example:80/Path", "http://host.example/Path"),
        ("https://h:443", "https://h"),
        ("https://h:80", "https://h:80"),
        ("http://h:443", "http://h:443"),
        ("http://h:", "http://h"),
        ("http://h:08000", "http://h:8000"),
        ("http://localhost:11434/v1", "http://localhost:11434"),
        ("http://localhost:80", "http://localhost:80"),
        ("https://127.0.0.1:443/v1", "https://127.0.0.1:443"),
        ("http://[::1]:80", "http://[::1]:80"),
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api"),
        ("https://api.z.ai/api/paas/v4", "https://api.z.ai/api/paas/v4"),
        (
            "https://generativelanguage.googleapis.com/v1beta/openai",
            "https://generativelanguage.googleapis.com/v1beta/openai"
        ),
        ("https://router.huggingface.co/v1", "https://router.huggingface.co"),
        ("https://ollama.com", "https://ollama.com"),
        ("https://ollama.com/v1", "https://ollama.com"),
        ("http://h:12434/engines/llama.cpp/v1", "http://h:12434/engines/llama.cpp"),
        ("http://h/e/models-a", "http://h/e/models-a"),
        ("http://[::1]:8000/v1", "http://[::1]:8000"),
        ("http://[0:0:0:0:0:0:0:1]:8000", "http://[::1]:8000"),
        ("http://[2001:DB8::A]:80/x", "http://[2001:db8::a]/x"),
        ("http://my_service.internal.", "http://my_service.internal."),
        ("http://xn--caf-dma.example", "http://xn--caf-dma.example"),
        ("http://h/a%20b", "http://h/a%20b"),
    ])
    func baseURLsAreNormalised(text: String, expected: String) throws {
        #expect(try EndpointRules.normalizedBaseURL(text) == expected)
        #expect(try EndpointRules.normalizedBaseURL(expected) == expected)
    }

    @Test(arguments: [
        "", "h", "h:8000", "//h", "ftp://h", "file:///etc/passwd", "http:/h", "http://", "me:hunter2@h", "h?x@y",
        "http:///v1", "http://:80",
        "http://user@h", "http://user:pass@h", "http://h@evil/v1", "http://h:0", "http://h:65536", "http://h:x",
        "http://h:-1", "http://h:1:2", "http://[::1", "http://[::1]x", "http://[1.2.3.4]", "http://[fe80::1%25eth0]",
        "http://::1", "http://a b", "http://h/a b", "http://h/\u{0}", "http://h\u{0}", "http://h/\n", "\thttp://h",
        "http://h/\u{7F}", "http://caf\u{E9}.example", "http://h/caf\u{E9}", "http://h\\x", "http://-h", "http://h-",
        "http://a..b", "http://.h", "http://h%2e", "http://h/%zz", "http://h/%2", "http://h/../x", "http://h/./x",
        "http://" + String(repeating: "a", count: 64), "http://h/" + String(repeating: "a", count: 2048),
        "http://" + Array(repeating: "abcdefgh", count: 30).joined(separator: "."),
    ])
    func otherURLsAreRefused(text: String) throws {
        let error = #expect(throws: APIError.self) { try EndpointRules.normalizedBaseURL(text) }
        #expect(error?.code == "invalid_base_url")
        #expect(error?.param == "base_url")
    }

    /// What people paste, and the base that they meant.
    @Test(arguments: [
        // A route of the API.
        ("http://h:8000/v1/chat/completions", "http://h:8000"), ("http://h:8000/v1/chat/completions/", "http://h:8000"),
        ("http://h:8000/chat/completions", "http://h:8000"), ("http://h:8000/v1/completions", "http://h:8000"),
        ("http://h:8000/v1/models", "http://h:8000"), ("http://h:8000/models", "http://h:8000"),
        ("http://h:8000/V1/Models", "http://h:8000"), ("http://h:8000/v1/embeddings", "http://h:8000"),
        ("https://h/openai/v1/responses", "https://h/openai"), ("https://h/v1/messages", "https://h"),
        ("https://h/api/v1/chat/completions", "https://h/api"),
        ("https://h/api/paas/v4/chat/completions", "https://h/api/paas/v4"),
        ("http://h:11434/api/tags", "http://h:11434"), ("http://h:11434/api/chat", "http://h:11434"),
        ("http://h:11434/api/generate/", "http://h:11434"), ("http://h:1234/api/v0/models", "http://h:1234"),
        ("http://h:8080/health", "http://h:8080"), ("http://h:8000/docs", "http://h:8000"),
        ("http://h:8080/props", "http://h:8080"), ("http://h:8000/metrics", "http://h:8000"),
        // Too much.
        ("http://h/v1/v1", "http://h"), ("http://h/v1/v1/", "http://h"),
        ("http://h/openai/v1/v1/v1", "http://h/openai"),
        ("http://10.0.0.1:8000/v1?key=secret", "http://10.0.0.1:8000"), ("http://h:8000#f", "http://h:8000"),
        ("http://h:8000/?", "http://h:8000"), ("http://h:8000/v1/models?api-version=1#x", "http://h:8000"),
        // No scheme.
        ("h:8000", "http://h:8000"), ("10.0.0.5:8000/v1", "http://10.0.0.5:8000"),
        ("localhost:11434", "http://localhost:11434"),
        ("//h:8000", "http://h:8000"), ("gpu-1.example", "http://gpu-1.example"), ("http:/h:8000", "http://h:8000"),
        ("[::1]:8000", "http://[::1]:8000"), ("h:8000/v1/chat/completions?key=secret", "http://h:8000"),
        // A port that nobody thought of.
        ("http://localhost", "http://localhost:80"), ("http://127.0.0.1/v1", "http://127.0.0.1:80"),
        ("https://localhost/", "https://localhost:443"), ("http://[::1]", "http://[::1]:80"),
    ])
    func theRightBaseIsTold(text: String, base: String) throws {
        let error = #expect(throws: APIError.self) { try EndpointRules.normalizedBaseURL(text) }
        #expect(error?.code == "invalid_base_url" && error?.param == "base_url")
        let message = error?.message ?? ""
        #expect(message.hasSuffix(" \(base) instead."), "\(message)")
        #expect(!message.contains("secret"), "\(message)")
        #expect(try EndpointRules.normalizedBaseURL(base) == base)
    }

    @Test(arguments: [
        "https://huggingface.co/Qwen/Qwen3-8B", "https://www.huggingface.co/models", "hf.co/Qwen/Qwen3-8B",
        "https://ollama.com/library/qwen3", "ollama.com/library", "https://ollama.com/search?q=x",
        "https://github.com/ggml-org/llama.cpp", "https://lmstudio.ai/models", "https://HuggingFace.co/",
    ])
    func webPagesAreNoEndpoints(text: String) throws {
        let error = #expect(throws: APIError.self) { try EndpointRules.normalizedBaseURL(text) }
        #expect(error?.code == "invalid_base_url")
        #expect(error?.message.contains("web page") == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("http://10.0.0.5:8000") == true, "an example of what is wanted")
    }

    @Test func aPasswordInAURLIsNotRepeated() {
        let error = #expect(throws: APIError.self) { try EndpointRules.normalizedBaseURL("http://me:hunter2@h") }
        #expect(error?.message.contains("hunter2") == false)
        #expect(error?.message.contains("api_key") == true)
    }

    @Test(arguments: ["a", "A-b_c.9", String(repeating: "x", count: 64), "...", "123e4567"])
    func namesAreTaken(name: String) throws {
        try EndpointRules.checkName(name)
    }

    @Test(arguments: [
        "", ".", "..", "a b", "a/b", "caf\u{E9}", "a\u{0}", String(repeating: "x", count: 65),
        "123E4567-e89b-12d3-a456-426614174000",
    ])
    func otherNamesAreRefused(name: String) {
        #expect(throws: APIError.self) { try EndpointRules.checkName(name) }
    }

    @Test func numbersHaveLimits() throws {
        for seconds in [1, 3600] { try EndpointRules.checkPollInterval(seconds) }
        for seconds in [0, -1, 3601, Int.max, Int.min] {
            let error = #expect(throws: APIError.self) { try EndpointRules.checkPollInterval(seconds) }
            #expect(error?.code == "invalid_poll_interval")
        }
        for value in [1, 100_000] { try EndpointRules.checkMaxConcurrency(value) }
        for value in [0, -1, 100_001] {
            let error = #expect(throws: APIError.self) { try EndpointRules.checkMaxConcurrency(value) }
            #expect(error?.code == "invalid_max_concurrency")
        }
    }

    @Test func labelsHaveLimits() throws {
        try EndpointRules.checkLabels([:])
        try EndpointRules.checkLabels(["example.com/rack": "caf\u{E9} 7", "a": ""])
        let many = Dictionary(uniqueKeysWithValues: (0..<33).map { ("k\($0)", "v") })
        try EndpointRules.checkLabels(many.filter { $0.key != "k0" })
        let refused = [
            many, ["": "v"], ["a b": "v"], [String(repeating: "k", count: 64): "v"],
            ["k": String(repeating: "v", count: 257)], ["k": "a\nb"], ["k": "\u{0}"], ["k": "\u{85}"],
        ]
        for labels in refused {
            let error = #expect(throws: APIError.self) { try EndpointRules.checkLabels(labels) }
            #expect(error?.code == "invalid_labels")
        }
    }

    @Test func aBaseWithAnotherVersionIsTheRootOfTheAPI() throws {
        for base in [
            "https://open.example/api/paas/v4", "https://ark.example/api/v3", "https://a.example/v1beta/openai",
            "https://a.example/v1/openai", "https://a.example/v1beta", "http://a.example:8000/v2",
        ] {
            #expect(try EndpointRules.normalizedBaseURL(base + "/") == base)
            #expect(APIRoot.url("/v1/models", below: base) == base + "/models")
            #expect(APIRoot.url("/api/tags", below: base) == base + "/api/tags")
            let error = #expect(throws: APIError.self) {
                try EndpointRules.normalizedBaseURL(base + "/chat/completions")
            }
            #expect(error?.message.contains(base + " instead") == true)
        }
        for base in [
            "http://v2", "http://v2:8000", "http://a.example/openai", "http://a.example/video", "http://a.example/v",
            "http://a.example/v2x", "http://a.example/v4/models-of-mine", "https://a.example/api",
        ] {
            #expect(APIRoot.url("/v1/models", below: base) == base + "/v1/models")
        }
    }

    @Test func kindsAreThoseKnown() throws {
        for kind in EndpointKind.allCases { #expect(try EndpointRules.kind(kind.rawValue) == kind) }
        for text in ["", "VLLM", "tgi"] {
            let error = #expect(throws: APIError.self) { try EndpointRules.kind(text) }
            #expect(error?.code == "unknown_kind")
        }
    }
}
