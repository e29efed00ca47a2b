import Catalog
import Crypto
import Foundation
import Testing

@testable import Registrar

/// What a record says besides what was chosen.
@Suite struct RegistrationRecordTests {
    private func line(_ name: String) throws -> RegistrationCase {
        try #require(RegistrationTable.all.first { $0.name == name })
    }

    private func made(
        _ files: [(String, Int64?)], extra: String = "{}", chatTemplate: String? = nil,
        contents: [String: RegistrationCase.Content] = [:]
    ) throws -> RegistrationRecord {
        try RegistrationCase(
            name: "", source: .made(SampleRepository(files, extra: extra)), chatTemplate: chatTemplate,
            contents: contents, expected: ""
        ).record()
    }

    @Test func ofGGUF() throws {
        let record = try line("gemma 12b: with a projector").record()
        #expect(record.name == "ggml-org/gemma-3-12b-it-gguf" && record.repo == "ggml-org/gemma-3-12b-it-GGUF")
        #expect(record.commit == "ec0cbabd8dbff316f659876a50202295c3c4a314")
        #expect(record.parameterCount == 11_765_788_416 && record.contextLength == 131_072)
        #expect(record.architecture == "gemma3" && record.license == "gemma")
        #expect(record.sizeBytes == nil && record.requiredMemoryBytes == nil)
        #expect(record.chatTemplate?.hasPrefix("{{ bos_token }}") == true && !record.hasOwnChatTemplate)
        #expect(record.hub.downloads == 3783 && record.hub.likes == 31)
        #expect(record.hub.lastModified == "2025-05-21T15:38:00.000Z" && !record.hub.isStale)
        #expect(record.warnings.isEmpty)
        #expect(
            record.alternatives.map(\.filename) == ["gemma-3-12b-it-Q8_0.gguf", "gemma-3-12b-it-f16.gguf"])
        #expect(record.alternatives.map(\.quantization) == ["Q8_0", "F16"])
        #expect(record.manifest.files.allSatisfy { $0.runtimes == ["llama_cpp"] })
        let projector = try #require(record.manifest.files.first { $0.role == .mmproj })
        #expect(projector.isOptional && projector.path == "mmproj-model-f16.gguf")
    }

    @Test func ofSafetensors() throws {
        let record = try line("gpt-oss: three shards of 00002, metal beside them").record()
        #expect(record.format == .safetensors && record.quantization == "mxfp4")
        #expect(record.architecture == "GptOssForCausalLM" && record.contextLength == 131_072)
        #expect(record.sizeBytes == 13_761_316_904 && record.requiredMemoryBytes == 20_641_975_356)
        #expect(record.parameterCount == nil && record.license == "apache-2.0")
        let listed = record.manifest.files.map {
            "\($0.priority) \($0.role.rawValue) \($0.path)\($0.isOptional ? "?" : "")"
        }
        #expect(
            listed == [
                "10 chat_template chat_template.jinja", "10 config config.json", "10 config generation_config.json",
                "10 tokenizer special_tokens_map.json", "10 tokenizer tokenizer.json",
                "10 tokenizer tokenizer_config.json", "5 index model.safetensors.index.json",
                "0 metal metal/model.bin?", "0 weights model-00000-of-00002.safetensors",
                "0 weights model-00001-of-00002.safetensors", "0 weights model-00002-of-00002.safetensors",
            ])
        #expect(record.manifest.files.allSatisfy { $0.runtimes == ["gptoss_cpp"] })
        let tokenizer = try #require(record.manifest.files.first { $0.path == "tokenizer.json" })
        #expect(tokenizer.sha256 == "0614fe83cadab421296e664e1f48f4261fa8fef6e03e63bb75c20f38e37d07d3")
        #expect(tokenizer.sizeBytes == 27_868_174)
    }

    @Test func counts() throws {
        let devstral = try line("devstral with a tokenizer: the index wins over consolidated").record()
        #expect(devstral.parameterCount == 23_572_403_200)
        let alone = try line("devstral with a tokenizer: consolidated asked for").record()
        #expect(alone.parameterCount == nil)
        let files: [(String, Int64?)] = [("config.json", 1), ("tokenizer.json", 1), ("m.safetensors", 3)]
        let contents: [String: RegistrationCase.Content] = ["config.json": .fixture("config.nemotron_h_8b.json")]
        let counted = try made(files, extra: #"{"safetensors":{"total":8000000000}}"#, contents: contents)
        #expect(counted.parameterCount == 8_000_000_000 && counted.requiredMemoryBytes == 5)
        #expect(counted.manifest.files.allSatisfy { $0.runtimes == ["nemotron_cpp"] })
    }

    @Test(
        arguments: [
            (nil, nil), (0, nil), (1, 2), (2, 3), (3, 5), (4_683_074_240, 7_024_611_360),
            (1 << 53, 13_510_798_882_111_488),
        ] as [(Int64?, Int64?)])
    func requiredMemory(_ size: Int64?, _ memory: Int64?) {
        #expect(RegistrationRules.requiredMemory(forSize: size) == memory)
    }

    @Test func chatTemplates() throws {
        let files: [(String, Int64?)] = [
            ("a-Q4_0.gguf", 1), ("tokenizer_config.json", 1), ("chat_template.jinja", 1),
        ]
        let both: [String: RegistrationCase.Content] = [
            "tokenizer_config.json": .text(#"{"chat_template":"of the tokenizer"}"#),
            "chat_template.jinja": .text("of the file"),
        ]
        let inGGUF = #"{"gguf":{"chat_template":"of the GGUF"}}"#
        let own = try made(files, extra: inGGUF, chatTemplate: "own", contents: both)
        #expect(own.chatTemplate == "own" && own.hasOwnChatTemplate)
        let ofGGUF = try made(files, extra: inGGUF, chatTemplate: "", contents: both)
        #expect(ofGGUF.chatTemplate == "of the GGUF" && !ofGGUF.hasOwnChatTemplate)
        // transformers and vLLM take the file too.
        #expect(try made(files, contents: both).chatTemplate == "of the file")
        let old = both.filter { $0.key == "tokenizer_config.json" }
        #expect(try made(files, contents: old).chatTemplate == "of the tokenizer")
        let processor: [String: RegistrationCase.Content] = [
            "chat_template.json": .text(#"{"chat_template":"of the processor"}"#)
        ]
        let withProcessor = files + [("chat_template.json", 1)]
        #expect(
            try made(withProcessor, contents: old.merging(processor) { $1 }).chatTemplate == "of the processor")
        #expect(try made(withProcessor, contents: both.merging(processor) { $1 }).chatTemplate == "of the file")
        let list: [String: RegistrationCase.Content] = [
            "tokenizer_config.json": .text(
                #"{"chat_template":[{"name":"tool_use","template":"t"},{"name":"default","template":"of the list"}]}"#)
        ]
        #expect(try made(files, contents: list).chatTemplate == "of the list")
        let broken = both.merging(["tokenizer_config.json": .text("{broken")]) { $1 }
        #expect(try made(files, contents: broken).chatTemplate == "of the file")
        #expect(try made(files).chatTemplate == nil)
        let long = String(repeating: "x", count: ChatTemplate.maximumLength + 1)
        #expect(try made(files, contents: ["chat_template.jinja": .text(long)]).chatTemplate == nil)
    }

    /// The Hub does not say of which file its `gguf` object is.
    @Test func headOfAnotherFile() throws {
        let head = #"{"gguf":{"total":7000000000,"architecture":"acme","context_length":4096,"chat_template":"t"}}"#
        let one = try made([("a-Q4_0.gguf", 1), ("A-UD-Q8_0.gguf", 1), ("mmproj-F16.gguf", 1)], extra: head)
        #expect(one.parameterCount == 7_000_000_000 && one.architecture == "acme" && one.chatTemplate == "t")
        let folders = try made([("Q4_0/a-Q4_0-00001-of-00001.gguf", 1), ("BF16/a-BF16.gguf", 1)], extra: head)
        #expect(folders.parameterCount == 7_000_000_000)
        let two = try made([("a-1B-Q4_0.gguf", 1), ("a-7B-Q8_0.gguf", 1)], extra: head)
        #expect(two.parameterCount == nil && two.contextLength == nil && two.chatTemplate == nil)
        for architecture in ["clip", "CLIP", "mmproj", "eagle3"] {
            let record = try made(
                [("a-Q4_0.gguf", 1)], extra: head.replacing("acme", with: architecture))
            #expect(record.parameterCount == nil && record.architecture == nil && record.contextLength == nil)
        }
    }

    /// What sentence-transformers needs is required; weights of its layers are not the model's size.
    @Test func modules() throws {
        let record = try line("google/embeddinggemma-300m").record()
        let listed = Dictionary(uniqueKeysWithValues: record.manifest.files.map { ($0.path, $0) })
        for path in [
            "modules.json", "config_sentence_transformers.json", "sentence_bert_config.json", "1_Pooling/config.json",
        ] {
            #expect(listed[path]?.role == .config && listed[path]?.isOptional == false)
        }
        #expect(listed["2_Dense/model.safetensors"]?.role == .module && listed["2_Dense/config.json"]?.role == .config)
        #expect(record.sizeBytes == 1_211_000_000)
        let dense = try line("sentence-transformers/LaBSE").record().manifest.files.map(\.path)
        #expect(dense.contains("2_Dense/model.safetensors") && !dense.contains("2_Dense/pytorch_model.bin"))
    }

    @Test func reasons() throws {
        func because(_ name: String) throws -> String { try line(name).record().chosenBecause ?? "" }
        #expect(try because("one gguf without a quantization").contains("only GGUF model"))
        #expect(try because("bartowski: Q8_0").contains("names the quantization q8_0"))
        #expect(try because("bartowski: eight quantizations").contains("Q4_K_M comes first"))
        #expect(try because("inkling: a middle part asked for").contains("the request names"))
        #expect(try because("Qwen/Qwen3-8B").contains("model.safetensors.index.json"))
        #expect(try because("mistralai/Ministral-8B-Instruct-2410").contains("model.safetensors"))
        #expect(try line("bartowski: eight quantizations").record().isDefaultChoice == true)
        #expect(try line("bartowski: Q8_0").record().isDefaultChoice == false)
        #expect(try line("qwen3.5: bf16 asked for").record().isDefaultChoice == false)
    }

    @Test(arguments: ["someone/qwen3-8b-lora", "someone/qwen3-8b-lora-with-config", "someone/llama-lora-bin"])
    func adaptersNameTheirBase(_ name: String) throws {
        let error = try #require(throws: Rejection.self) { try line(name).record() }
        #expect(error.error.message.contains("adapter"))
        #expect(error.error.message.contains(name.contains("qwen") ? "Qwen/Qwen3-8B" : "meta-llama/Llama-3.1-8B"))
    }

    @Test func adaptersNameTheBaseOfTheCard() throws {
        let error = try #require(throws: Rejection.self) {
            try made([("a-lora-f16.gguf", 1)], extra: #"{"cardData":{"base_model":["Acme/Base"]}}"#)
        }
        #expect(error.error.code == "unsupported_artifact" && error.error.message.contains("Acme/Base"))
    }

    @Test func warnings() throws {
        let files: [(String, Int64?)] = [("a-Q4_0.gguf", 1)]
        func codes(_ extra: String) throws -> [String] { try made(files, extra: extra).warnings.map(\.code) }
        #expect(try codes(#"{"gated":"auto","cardData":{"license":"mit"}}"#) == ["gated_repository"])
        #expect(try codes(#"{"gated":"manual"}"#) == ["gated_repository", "license_missing"])
        #expect(try codes(#"{"gated":false,"tags":["license:mit"]}"#) == [])
        #expect(try codes("{}") == ["license_missing"])
    }

    @Test func filesBesideGGUFAreOptional() throws {
        let record = try made([("a-Q4_0.gguf", 1), ("config.json", 1), ("tokenizer.json", 1), ("README.md", 1)])
        #expect(
            record.manifest.files.map { "\($0.path) \($0.isOptional)" } == [
                "config.json true", "tokenizer.json true", "a-Q4_0.gguf false",
            ])
    }

    /// The digest as anybody can compute it from the manifest that clients get.
    @Test func manifestAsJSON() throws {
        let manifest = try line("one gguf without a quantization").record().manifest
        #expect(manifest.createdAt == "2026-11-22T20:00:00Z")
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(manifest), as: UTF8.self)
        let commit = "0123456789abcdef0123456789abcdef01234567"
        let file =
            "{\"name\":\"model.gguf\",\"optional\":false,\"path\":\"model.gguf\",\"priority\":0,\"role\":\"weights\",\"runtimes\":[\"llama_cpp\"],\"sha256\":\"6a1a2eb6d15622bf3c96857206351ba97e1af16c30d7a74ee38970e434e9407e\",\"size_bytes\":1117320736,\"url\":\"https://huggingface.co/org/name/resolve/\(commit)/model.gguf\"}"
        let expected =
            "{\"commit\":\"\(commit)\",\"created_at\":\"2026-11-22T20:00:00Z\",\"files\":[\(file)],\"format\":\"gguf\",\"name\":\"org/name\",\"repo\":\"org/name\",\"size_bytes\":1117320736}"
        let digest = SHA256.hash(data: Data(expected.utf8)).map { String(format: "%02x", $0) }.joined()
        #expect(manifest.digest == "sha256:\(digest)")
        #expect(text == expected.replacing("\"files\"", with: "\"digest\":\"sha256:\(digest)\",\"files\""))
    }

    @Test func requestsThatSayTooMuch() {
        func code(_ request: RegistrationRequest) -> String? {
            do throws(Rejection) {
                try RegistrationRules.check(request)
                return nil
            } catch {
                return error.error.code
            }
        }
        let long = String(repeating: "x", count: 1 << 20)
        #expect(code(RegistrationRequest(repo: "a/b", chatTemplate: long)) == nil)
        #expect(code(RegistrationRequest(repo: "a/b", chatTemplate: long + "x")) == "invalid_chat_template")
        #expect(code(RegistrationRequest(repo: "a/b", displayName: "Übung 1")) == nil)
        #expect(code(RegistrationRequest(repo: "a/b", displayName: "a\u{0}")) == "invalid_display_name")
        #expect(code(RegistrationRequest(repo: "a/b", displayName: long)) == "invalid_display_name")
    }

    /// Messages say what there is, without end.
    @Test func choicesAreNamed() throws {
        func message(_ files: [String], filename: String? = nil, quantization: String? = nil) throws -> String {
            let repository = try HubRepository(answer: SampleRepository(files).answer)
            do throws(Rejection) {
                _ = try ArtifactSelection.choose(from: repository, filename: filename, quantization: quantization)
                return ""
            } catch {
                return error.error.message
            }
        }
        let both = try message(["a-Q4_0.gguf", "model.safetensors"])
        #expect(both.contains("a-Q4_0.gguf") && both.contains("model.safetensors"))
        let parts = try message(["a-Q4_0-00001-of-00003.gguf"])
        #expect(parts.contains("a-Q4_0-00002-of-00003.gguf") && parts.contains("a-Q4_0-00003-of-00003.gguf"))
        #expect(try message(["a-Q4_0-00001-of-99999.gguf"]).contains("and 99986 more"))
        #expect(try message(["a-Q4_0.gguf", "a-Q8_0.gguf"], quantization: "Q2_K").contains("\"Q4_0\", \"Q8_0\""))
        let hostile = try message(
            ["a-Q4_0.gguf"], quantization: "Q4\u{0}\n\u{202E}" + String(repeating: "x", count: 10_240))
        #expect(hostile.utf8.count < 400 && !hostile.contains("\n"))
        let many = try message((0..<5000).map { "model-\($0).gguf" })
        #expect(many.utf8.count < 1000 && many.contains("and 4988 more"))
    }
}
