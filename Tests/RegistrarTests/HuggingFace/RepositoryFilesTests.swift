import Catalog
import Foundation
import TestSupport
import Testing

@testable import Registrar

/// What is read of the files of a repository and of the Hub's answer, whatever shape they have.
@Suite struct RepositoryFilesTests {
    static let configurations:
        [(file: String, architecture: String, runtime: String, context: Int64?, quantization: String?)] = [
            ("config.gpt_oss_120b.json", "GptOssForCausalLM", "gptoss_cpp", 131_072, "mxfp4"),
            ("config.gpt_oss_20b.json", "GptOssForCausalLM", "gptoss_cpp", 131_072, "mxfp4"),
            ("config.granitemoe.json", "GraniteMoeForCausalLM", "safetensors_cpp", 131_072, nil),
            ("config.llama3.1.json", "LlamaForCausalLM", "safetensors_cpp", 131_072, "bitsandbytes"),
            ("config.mistral_devstral.json", "MistralForCausalLM", "safetensors_cpp", 131_072, nil),
            ("config.nemotron_h_8b.json", "NemotronHForCausalLM", "nemotron_cpp", 8192, nil),
            ("config.qwen2_cogito.json", "Qwen2ForCausalLM", "safetensors_cpp", 131_072, nil),
            ("config.qwen3_5_moe_vl.json", "Qwen3_5MoeForConditionalGeneration", "safetensors_cpp", 262_144, nil),
        ]
    /// Beginnings of the templates; nil where there is none.
    static let tokenizers: [(file: String, template: String?)] = [
        ("tokenizer_config.granite.chat_template_string.json", "{%- if messages[0]['role'] == 'system' %}"),
        (
            "tokenizer_config.chat_template_list.json",
            "{{ bos_token }}{% for message in messages %}{{ message['role'] }}"
        ),
        ("tokenizer_config.llama3.1.json", nil),
        ("tokenizer_config.qwen2_cogito.json", "{%- if not enable_thinking is defined %}"),
        ("tokenizer_config.special_tokens_as_objects.json", nil),
        ("params.mistral_native.json", nil),
    ]
    static let indexes: [(file: String, shards: Int, parameters: Int64?)] = [
        ("model.safetensors.index.cogito.json", 6, nil),
        ("model.safetensors.index.devstral.json", 10, 23_572_403_200),
    ]
    static let fixtures = Set(
        configurations.map(\.file) + tokenizers.map(\.file) + indexes.map(\.file) + ["gated_values.json"])

    @Test(arguments: configurations)
    func configuration(
        _ line: (file: String, architecture: String, runtime: String, context: Int64?, quantization: String?)
    ) throws {
        let configuration = try #require(ModelConfiguration(file: try FixtureFolder.hub.body(line.file)))
        #expect(configuration.architecture == line.architecture)
        #expect(configuration.runtime == line.runtime)
        #expect(configuration.contextLength == line.context)
        #expect(configuration.quantization == line.quantization)
    }

    @Test(arguments: tokenizers)
    func tokenizer(_ line: (file: String, template: String?)) throws {
        let template = ChatTemplate.inTokenizerConfiguration(try FixtureFolder.hub.body(line.file))
        #expect((template == nil) == (line.template == nil))
        #expect(template?.hasPrefix(line.template ?? "") != false)
    }

    @Test(arguments: indexes)
    func index(_ line: (file: String, shards: Int, parameters: Int64?)) throws {
        let index = try #require(ShardIndex(file: try FixtureFolder.hub.body(line.file)))
        #expect(index.shards.count == line.shards)
        #expect(index.shards.allSatisfy { $0.hasSuffix(".safetensors") })
        #expect(index.parameterCount == line.parameters)
    }

    /// Odd values cost themselves and nothing else; what is not JSON is nothing.
    @Test func oddConfigurations() throws {
        func read(_ text: String) -> ModelConfiguration? { ModelConfiguration(file: Array(text.utf8)) }
        // Python writes these.
        let infinite = try #require(
            read(#"{"time_step_limit":[0.0,Infinity],"x":NaN,"y":-Infinity,"max_position_embeddings":8192}"#))
        #expect(infinite.contextLength == 8192)
        let odd = try #require(
            read(
                #"{"architectures":"A","model_type":"gpt_oss","max_position_embeddings":1e30,"quantization_config":[]}"#
            ))
        #expect(odd.architectures.isEmpty && odd.architecture == "gpt_oss" && odd.runtime == "gptoss_cpp")
        #expect(odd.contextLength == nil && odd.quantization == nil)
        let mixed = try #require(read(#"{"architectures":[null,7,"B\u0000","C"],"max_position_embeddings":-1}"#))
        #expect(mixed.architectures == ["C"] && mixed.contextLength == nil)
        for text in ["", "[]", "null", "7", "<html>", "{\"a\":", String(repeating: "[", count: 100_000)] {
            #expect(read(text) == nil)
        }
    }

    @Test func oddTemplates() {
        func read(_ text: String) -> String? { ChatTemplate.inTokenizerConfiguration(Array(text.utf8)) }
        #expect(read(#"{"chat_template":"a","model_max_length":1000000000000000019884624838656}"#) == "a")
        #expect(read(#"{"chat_template":[{"name":"rag","template":"r"},7,{"name":"default","template":"d"}]}"#) == "d")
        #expect(read(#"{"chat_template":[{"name":"rag","template":"r"}]}"#) == nil)
        #expect(read(#"{"chat_template":{"default":"d"}}"#) == nil)
        #expect(read(#"{"chat_template":null}"#) == nil)
        #expect(read(#"{"chat_template":""}"#) == nil)
        let long = String(repeating: "x", count: ChatTemplate.maximumLength)
        #expect(read(#"{"chat_template":"\#(long)"}"#) == long)
        #expect(read(#"{"chat_template":"\#(long)x"}"#) == nil)
    }

    @Test func gatedValues() throws {
        let list = try JSONSerialization.jsonObject(with: Data(try FixtureFolder.hub.body("gated_values.json")))
        let objects = try #require(list as? [[String: Any]])
        let gated = try objects.map { object in
            let answer = object.merging(["sha": SampleRepository.commit]) { $1 }
            return try HubRepository(answer: Array(try JSONSerialization.data(withJSONObject: answer))).isGated
        }
        #expect(gated == [false, true, true, false])
    }

    @Test func oddAnswers() throws {
        let sha = String(repeating: "AB", count: 32)
        let text = """
            {"id":"Org/Name","sha":"\(SampleRepository.commit.uppercased())","gated":true,"disabled":"no","downloads":-1,
             "likes":"many","lastModified":7,"gguf":[1],"safetensors":{"total":1e30},"cardData":{"license":["mit","x"]},
             "tags":[1,null,"license:apache-2.0"],"config":"x","siblings":[7,null,{"size":1},{"rfilename":"a.gguf","size":-5},
             {"rfilename":"b.gguf","size":"9","lfs":{"size":7,"sha256":"\(sha)"}},{"rfilename":"b.gguf","size":8},
             {"rfilename":"c.gguf","size":1e30,"lfs":{"sha256":"xyz"}},{"rfilename":"d.gguf","lfs":null}]}
            """
        let repository = try HubRepository(answer: Array(text.utf8))
        #expect(repository.commit == SampleRepository.commit)
        #expect(repository.isGated && !repository.isDisabled)
        #expect(repository.downloads == nil && repository.likes == nil && repository.lastModified == nil)
        #expect(repository.gguf == nil && repository.parameterCount == nil && repository.license == "mit")
        #expect(repository.files.map(\.path) == ["a.gguf", "b.gguf", "c.gguf", "d.gguf"])
        #expect(repository.files.map(\.sizeBytes) == [nil, 7, nil, nil])
        #expect(repository.files.map(\.sha256) == [nil, sha.lowercased(), nil, nil])
        #expect(repository.files.map(\.isLFS) == [false, true, true, false])
    }

    @Test(arguments: [
        "", "<html>", "[]", "null", #"{"id":"a/b"}"#, #"{"sha":"abc"}"#, #"{"sha":7}"#,
        #"{"sha":"\#(SampleRepository.commit)x"}"#, #"{"sha":"\#(SampleRepository.commit)","id":"../x"}"#,
        #"{"sha":"\#(SampleRepository.commit)","id":"a/b/c"}"#, #"{"sha":"\#(SampleRepository.commit)","id":"a/b?c"}"#,
    ])
    func answersThatAreNone(_ text: String) {
        #expect(throws: Rejection.self) { try HubRepository(answer: Array(text.utf8)) }
        do {
            _ = try HubRepository(answer: Array(text.utf8))
        } catch {
            #expect(error.status == 502 && error.error.code == "hub_error")
        }
    }

    @Test(arguments: [
        "../x", "a/../b", "a/..", "/etc/passwd", "a//b", "a/", "./a", "a\\b", "a\u{0}b", "a\nb", "a\u{7F}", "a\u{85}b",
        "",
        String(repeating: "a", count: 1025),
    ])
    func pathsThatNoneCanHave(_ path: String) throws {
        #expect(!HubPath.isSafe(path))
        let sample = SampleRepository([path, "a-Q4_0.gguf"])
        do throws(Rejection) {
            _ = try HubRepository(answer: sample.answer)
            Issue.record("accepted")
        } catch {
            #expect(error.status == 502 && error.error.code == "hub_error")
            #expect(!error.error.message.contains { $0.isNewline } && error.error.message.utf8.count < 300)
        }
    }

    @Test(arguments: ["a", "a/b.gguf", "..a", "a..b", "模型.gguf", "a b", String(repeating: "a", count: 1024)])
    func pathsThatOneCanHave(_ path: String) { #expect(HubPath.isSafe(path)) }
}
