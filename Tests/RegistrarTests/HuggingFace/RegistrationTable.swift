@testable import Registrar

/// What is registered of which repository: the rules of the documentation, line by line.
enum RegistrationTable {
    static let all = ofFixtures + ofGGUF + ofSafetensors + ofBoth + ofRealGGUF + ofRealSafetensors + ofKinds

    private static let granite: [String: RegistrationCase.Content] = ["config.json": .fixture("config.granitemoe.json")]
    private static let llama: [String: RegistrationCase.Content] = ["config.json": .fixture("config.llama3.1.json")]

    static func index(_ shards: [String]) -> RegistrationCase.Content {
        let map = shards.enumerated().map { "\"w\($0.offset)\":\"\($0.element)\"" }.joined(separator: ",")
        return .text("{\"metadata\":{\"total_size\":1},\"weight_map\":{\(map)}}")
    }

    static func gguf(
        _ name: String, _ files: [String], filename: String? = nil, quantization: String? = nil, _ expected: String
    ) -> RegistrationCase {
        RegistrationCase(
            name: name, source: .made(SampleRepository(files)), filename: filename, quantization: quantization,
            expected: expected)
    }

    static func safetensors(
        _ name: String, _ files: [String], filename: String? = nil, quantization: String? = nil,
        contents: [String: RegistrationCase.Content] = llama, _ expected: String
    ) -> RegistrationCase {
        RegistrationCase(
            name: name, source: .made(SampleRepository(files)), filename: filename, quantization: quantization,
            contents: contents, expected: expected)
    }

    private static let ofFixtures: [RegistrationCase] = [
        RegistrationCase(
            name: "gemma 1b: three quantizations, sizes not asked for",
            source: .fixture("model.ggml-org_gemma-3-1b-it-GGUF.json"),
            expected: "gguf Q4_K_M -: gemma-3-1b-it-Q4_K_M.gguf | 2 others"),
        RegistrationCase(
            name: "gemma 12b: with a projector",
            source: .fixture("model.ggml-org_gemma-3-12b-it-GGUF.mmproj.json"),
            expected: "gguf Q4_K_M -: gemma-3-12b-it-Q4_K_M.gguf + mmproj-model-f16.gguf? | 2 others"),
        RegistrationCase(
            name: "gemma 12b: its f16", source: .fixture("model.ggml-org_gemma-3-12b-it-GGUF.mmproj.json"),
            quantization: "F16",
            expected: "gguf F16 -: gemma-3-12b-it-f16.gguf + mmproj-model-f16.gguf? | 2 others"),
        RegistrationCase(
            name: "gemma 12b: the projector asked for",
            source: .fixture("model.ggml-org_gemma-3-12b-it-GGUF.mmproj.json"), filename: "mmproj-model-f16.gguf",
            expected: "400 unsupported_artifact"),
        RegistrationCase(
            name: "one gguf without a quantization", source: .fixture("model_blobs.single_gguf.json"),
            expected: "gguf - 1117320736: model.gguf"),
        RegistrationCase(
            name: "qwen3.5: Q4_K_M before BF16", source: .fixture("model_blobs.qwen3.5-4b_uppercase_sha.json"),
            expected: "gguf Q4_K_M 2579944608: Qwen3.5-4B-Q4_K_M.gguf | 1 others"),
        RegistrationCase(
            name: "qwen3.5: bf16 asked for", source: .fixture("model_blobs.qwen3.5-4b_uppercase_sha.json"),
            quantization: "bf16", expected: "gguf BF16 8424393632: Qwen3.5-4B-BF16.gguf | 1 others"),
        RegistrationCase(
            name: "inkling: split sets in folders",
            source: .fixture("model_blobs.unsloth_Inkling-Small-GGUF.split.json"),
            expected:
                "gguf UD-Q4_K_M -: UD-Q4_K_M/Inkling-Small-UD-Q4_K_M-00001-of-00005.gguf … UD-Q4_K_M/Inkling-Small-UD-Q4_K_M-00005-of-00005.gguf (5) + mmproj-BF16.gguf? | 1 others"
        ),
        RegistrationCase(
            name: "inkling: Q4_K_M is what UD-Q4_K_M is",
            source: .fixture("model_blobs.unsloth_Inkling-Small-GGUF.split.json"), quantization: "Q4_K_M",
            expected:
                "gguf UD-Q4_K_M -: UD-Q4_K_M/Inkling-Small-UD-Q4_K_M-00001-of-00005.gguf … UD-Q4_K_M/Inkling-Small-UD-Q4_K_M-00005-of-00005.gguf (5) + mmproj-BF16.gguf? | 1 others"
        ),
        RegistrationCase(
            name: "inkling: a middle part asked for",
            source: .fixture("model_blobs.unsloth_Inkling-Small-GGUF.split.json"),
            filename: "UD-IQ2_M/Inkling-Small-UD-IQ2_M-00002-of-00003.gguf",
            expected:
                "gguf UD-IQ2_M -: UD-IQ2_M/Inkling-Small-UD-IQ2_M-00001-of-00003.gguf, UD-IQ2_M/Inkling-Small-UD-IQ2_M-00002-of-00003.gguf, UD-IQ2_M/Inkling-Small-UD-IQ2_M-00003-of-00003.gguf + mmproj-BF16.gguf? | 1 others"
        ),
        RegistrationCase(
            name: "inkling: a part is missing",
            source: .fixture(
                "model_blobs.unsloth_Inkling-Small-GGUF.split.json",
                without: ["UD-IQ2_M/Inkling-Small-UD-IQ2_M-00002-of-00003.gguf"]),
            quantization: "UD-IQ2_M", expected: "400 incomplete_shards"),
        RegistrationCase(
            name: "whisper: ggml .bin files", source: .fixture("model_blobs.many_quants_whisper_shape.json"),
            expected: "400 no_artifact"),
        RegistrationCase(
            name: "bert: pytorch and tensorflow", source: .tree("tree.bert_pytorch_only.json"),
            expected: "400 no_artifact"),
        RegistrationCase(
            name: "bert: an expanded entry", source: .tree("tree.bert_expanded_entry.json"),
            expected: "400 no_artifact"),
        RegistrationCase(
            name: "bert: its .bin asked for", source: .tree("tree.bert_pytorch_only.json"),
            filename: "pytorch_model.bin", expected: "400 unsupported_artifact"),
        RegistrationCase(
            name: "bartowski: eight quantizations",
            source: .tree("tree.bartowski_Qwen2.5-1.5B-Instruct-GGUF.json"),
            expected: "gguf Q4_K_M 986048768: Qwen2.5-1.5B-Instruct-Q4_K_M.gguf | 7 others"),
        RegistrationCase(
            name: "bartowski: Q8_0", source: .tree("tree.bartowski_Qwen2.5-1.5B-Instruct-GGUF.json"),
            quantization: "q8_0", expected: "gguf Q8_0 1646573312: Qwen2.5-1.5B-Instruct-Q8_0.gguf | 7 others"),
        RegistrationCase(
            name: "bartowski: a quantization it has not",
            source: .tree("tree.bartowski_Qwen2.5-1.5B-Instruct-GGUF.json"), quantization: "Q4_0",
            expected: "400 file_not_found"),
        RegistrationCase(
            name: "bartowski: f16 as FP16", source: .tree("tree.bartowski_Qwen2.5-1.5B-Instruct-GGUF.json"),
            quantization: "fp16", expected: "gguf F16 3093669376: Qwen2.5-1.5B-Instruct-f16.gguf | 7 others"),
        RegistrationCase(
            name: "split edge cases: two models are Q8_0", source: .tree("tree.split_gguf_edge_cases.json"),
            expected: "400 ambiguous_artifact"),
        RegistrationCase(
            name: "split edge cases: parts out of order", source: .tree("tree.split_gguf_edge_cases.json"),
            filename: "split/stories15M-q8_0-00003-of-00003.gguf",
            expected:
                "gguf Q8_0 28534944: split/stories15M-q8_0-00001-of-00003.gguf, split/stories15M-q8_0-00002-of-00003.gguf, split/stories15M-q8_0-00003-of-00003.gguf | 3 others"
        ),
        RegistrationCase(
            name: "split edge cases: a dot before the number", source: .tree("tree.split_gguf_edge_cases.json"),
            filename: "Meta-Llama-3-70B-Instruct.Q8_0.00001-of-00002.gguf",
            expected:
                "gguf Q8_0 300: Meta-Llama-3-70B-Instruct.Q8_0.00001-of-00002.gguf, Meta-Llama-3-70B-Instruct.Q8_0.00002-of-00002.gguf | 3 others"
        ),
        RegistrationCase(
            name: "split edge cases: half a model", source: .tree("tree.split_gguf_edge_cases.json"),
            filename: "broken/Halfmodel-Q2_K-00001-of-00002.gguf", expected: "400 incomplete_shards"),
        RegistrationCase(
            name: "split edge cases: no quantization, not in LFS", source: .tree("tree.split_gguf_edge_cases.json"),
            filename: "tinyllamas/stories260K.gguf",
            expected: "gguf - 1185376: tinyllamas/stories260K.gguf | 3 others"),
        RegistrationCase(
            name: "granite: one safetensors file", source: .fixture("model_blobs.granite_single_safetensors.json"),
            contents: granite.merging(
                ["tokenizer_config.json": .fixture("tokenizer_config.granite.chat_template_string.json")]) { $1 },
            expected: "safetensors - 2669283096: model.safetensors"),
        RegistrationCase(
            name: "granite: the same from its tree", source: .tree("tree.granite_single_safetensors.json"),
            contents: granite, expected: "safetensors - 2669283096: model.safetensors"),
        RegistrationCase(
            name: "granite: config.json is no JSON",
            source: .fixture("model_blobs.granite_single_safetensors.json"), contents: ["config.json": .text("<html>")],
            expected: "400 missing_metadata"),
        RegistrationCase(
            name: "llama 2: tokenizer.model only", source: .fixture("model_blobs.tokenizer_model_only.json"),
            contents: llama, expected: "safetensors bitsandbytes 13476835328: model.safetensors"),
        RegistrationCase(
            name: "llama 3.1 gated: one of four shards", source: .fixture("model.gated_manual_llama.json"),
            contents: llama, expected: "400 incomplete_shards"),
        RegistrationCase(
            name: "gpt-oss: three shards of 00002, metal beside them",
            source: .fixture("model_blobs.openai_gpt-oss-20b.json"),
            contents: [
                "config.json": .fixture("config.gpt_oss_20b.json"),
                "model.safetensors.index.json": index([
                    "model-00002-of-00002.safetensors", "model-00000-of-00002.safetensors",
                    "model-00001-of-00002.safetensors", "model-00000-of-00002.safetensors",
                ]),
            ],
            expected:
                "safetensors mxfp4 13761316904: model-00000-of-00002.safetensors, model-00001-of-00002.safetensors, model-00002-of-00002.safetensors + model.safetensors.index.json, metal/model.bin?"
        ),
        RegistrationCase(
            name: "gpt-oss: a shard is gone",
            source: .fixture("model_blobs.openai_gpt-oss-20b.json", without: ["model-00000-of-00002.safetensors"]),
            contents: [
                "config.json": .fixture("config.gpt_oss_120b.json"),
                "model.safetensors.index.json": index([
                    "model-00000-of-00002.safetensors", "model-00001-of-00002.safetensors",
                ]),
            ], expected: "400 incomplete_shards"),
        RegistrationCase(
            name: "gpt-oss: original/ asked for", source: .fixture("model_blobs.openai_gpt-oss-20b.json"),
            filename: "original/model.safetensors", contents: ["original/config.json": .text("{\"num_layers\":24}")],
            expected: "safetensors - 13761300984: original/model.safetensors + metal/model.bin?"),
        RegistrationCase(
            name: "devstral: tekken is its tokenizer",
            source: .fixture("model_blobs.devstral_sharded_plus_consolidated.json"),
            contents: [
                "config.json": .fixture("config.mistral_devstral.json"),
                "model.safetensors.index.json": .fixture("model.safetensors.index.devstral.json"),
            ],
            expected:
                "safetensors - 47144848872: model-00001-of-00010.safetensors … model-00010-of-00010.safetensors (10) + model.safetensors.index.json"
        ),
        RegistrationCase(
            name: "devstral with a tokenizer: the index wins over consolidated",
            source: .fixture(
                "model_blobs.devstral_sharded_plus_consolidated.json", adding: ["tokenizer.json"]),
            contents: [
                "config.json": .fixture("config.mistral_devstral.json"),
                "model.safetensors.index.json": .fixture("model.safetensors.index.devstral.json"),
            ],
            expected:
                "safetensors - 47144848872: model-00001-of-00010.safetensors … model-00010-of-00010.safetensors (10) + model.safetensors.index.json"
        ),
        RegistrationCase(
            name: "devstral with a tokenizer: consolidated asked for",
            source: .fixture(
                "model_blobs.devstral_sharded_plus_consolidated.json", adding: ["tokenizer.json"]),
            filename: "consolidated.safetensors",
            contents: ["config.json": .fixture("config.mistral_devstral.json")],
            expected: "safetensors - 47144846024: consolidated.safetensors"),
        RegistrationCase(
            name: "cogito: an index of six",
            source: .made(
                SampleRepository(
                    ["config.json", "tokenizer.json", "model.safetensors.index.json"]
                        + (1...6).map { "model-0000\($0)-of-00006.safetensors" })),
            contents: [
                "config.json": .fixture("config.qwen2_cogito.json"),
                "model.safetensors.index.json": .fixture("model.safetensors.index.cogito.json"),
            ],
            expected:
                "safetensors - 600: model-00001-of-00006.safetensors … model-00006-of-00006.safetensors (6) + model.safetensors.index.json"
        ),
        RegistrationCase(
            name: "ornith: two shards and an index", source: .tree("tree.sharded_safetensors_2.json"),
            contents: [
                "config.json": .fixture("config.qwen3_5_moe_vl.json"),
                "model.safetensors.index.json": index([
                    "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                ]),
            ],
            expected:
                "safetensors - 70218819136: model-00001-of-00002.safetensors, model-00002-of-00002.safetensors + model.safetensors.index.json"
        ),
        RegistrationCase(
            name: "carnice: one of several shards at the root", source: .tree("tree.subfolder_fp8.json"),
            expected: "400 incomplete_shards"),
        RegistrationCase(
            name: "carnice: fp8 asked for, with what is in its folder", source: .tree("tree.subfolder_fp8.json"),
            filename: "fp8/model.safetensors", contents: ["fp8/config.json": .fixture("config.qwen3_5_moe_vl.json")],
            expected: "safetensors - 35752119320: fp8/model.safetensors"),
    ]

    private static let ofGGUF: [RegistrationCase] = [
        gguf("Q4_K_S before Q4_0", ["a-Q4_0.gguf", "a-Q4_K_S.gguf"], "gguf Q4_K_S 100: a-Q4_K_S.gguf | 1 others"),
        gguf("Q4_0 before other Q4", ["a-Q4_1.gguf", "a-Q4_0.gguf"], "gguf Q4_0 100: a-Q4_0.gguf | 1 others"),
        gguf("other Q4 before IQ4", ["a-IQ4_XS.gguf", "a-Q4_K_L.gguf"], "gguf Q4_K_L 100: a-Q4_K_L.gguf | 1 others"),
        gguf("IQ4 before Q5_K_M", ["a-Q5_K_M.gguf", "a-IQ4_NL.gguf"], "gguf IQ4_NL 100: a-IQ4_NL.gguf | 1 others"),
        gguf(
            "Q5_K_M before Q5_K_S before other Q5", ["a-Q5_0.gguf", "a-Q5_K_S.gguf", "a-Q5_K_M.gguf"],
            "gguf Q5_K_M 100: a-Q5_K_M.gguf | 2 others"),
        gguf("Q5_K_S before other Q5", ["a-Q5_0.gguf", "a-Q5_K_S.gguf"], "gguf Q5_K_S 100: a-Q5_K_S.gguf | 1 others"),
        gguf("other Q5 before Q6", ["a-Q6_K.gguf", "a-Q5_1.gguf"], "gguf Q5_1 100: a-Q5_1.gguf | 1 others"),
        gguf("Q6 before Q8", ["a-Q8_0.gguf", "a-Q6_K.gguf"], "gguf Q6_K 100: a-Q6_K.gguf | 1 others"),
        gguf("Q8 before Q3", ["a-Q3_K_M.gguf", "a-Q8_0.gguf"], "gguf Q8_0 100: a-Q8_0.gguf | 1 others"),
        gguf("Q3 before Q2", ["a-IQ2_M.gguf", "a-Q3_K_M.gguf"], "gguf Q3_K_M 100: a-Q3_K_M.gguf | 1 others"),
        gguf("Q2 before BF16", ["a-BF16.gguf", "a-Q2_K.gguf"], "gguf Q2_K 100: a-Q2_K.gguf | 1 others"),
        gguf(
            "BF16 before F16 before F32", ["a.F32.gguf", "a.f16.gguf", "a.bf16.gguf"],
            "gguf BF16 100: a.bf16.gguf | 2 others"),
        gguf("MXFP4 before Q5", ["a-Q5_K_M.gguf", "a-MXFP4.gguf"], "gguf MXFP4 100: a-MXFP4.gguf | 1 others"),
        gguf(
            "plain before UD", ["a-UD-Q4_K_M.gguf", "a-Q4_K_M.gguf"], "gguf Q4_K_M 100: a-Q4_K_M.gguf | 1 others"),
        gguf(
            "UD asked for beside plain", ["a-UD-Q4_K_M.gguf", "a-Q4_K_M.gguf"], quantization: "UD-Q4_K_M",
            "gguf UD-Q4_K_M 100: a-UD-Q4_K_M.gguf | 1 others"),
        gguf(
            "plain asked for beside UD", ["a-UD-Q4_K_M.gguf", "a-Q4_K_M.gguf"], quantization: "Q4_K_M",
            "gguf Q4_K_M 100: a-Q4_K_M.gguf | 1 others"),
        gguf(
            "UD asked for and only plain there", ["a-Q4_K_M.gguf"], quantization: "UD-Q4_K_M", "400 file_not_found"),
        gguf(
            "a quantization once whole and once in part", ["a-Q8_0.gguf", "b-Q8_0-00001-of-00002.gguf"],
            quantization: "Q8_0", "gguf Q8_0 100: a-Q8_0.gguf"),
        gguf("Q4 is not Q4_K_M", ["a-Q4_K_M.gguf"], quantization: "Q4", "400 file_not_found"),
        gguf(
            "two of one quantization asked for", ["a-Q4_0.gguf", "b-Q4_0.gguf"], quantization: "Q4_0",
            "400 ambiguous_artifact"),
        gguf("two models that do not say", ["a.gguf", "b.gguf"], "400 ambiguous_artifact"),
        gguf(
            "one that says before one that does not", ["a.gguf", "b-F32.gguf"], "gguf F32 100: b-F32.gguf | 1 others"),
        gguf(
            "file and quantization agree", ["a-Q4_0.gguf", "a-Q8_0.gguf"], filename: "a-Q8_0.gguf",
            quantization: "Q8_0", "gguf Q8_0 100: a-Q8_0.gguf | 1 others"),
        gguf(
            "file and quantization disagree", ["a-Q4_0.gguf", "a-Q8_0.gguf"], filename: "a-Q8_0.gguf",
            quantization: "Q4_0", "400 file_not_found"),
        gguf("a file that is not there", ["a-Q4_0.gguf"], filename: "b.gguf", "400 file_not_found"),
        gguf("a file in other letters", ["a-Q4_0.gguf"], filename: "A-Q4_0.gguf", "400 file_not_found"),
        gguf(
            "an imatrix asked for", ["a-Q4_0.gguf", "imatrix.gguf"], filename: "imatrix.gguf",
            "400 unsupported_artifact"),
        gguf(
            "imatrix and vocabulary are helpers",
            ["a-Q4_0.gguf", "imatrix_unsloth.gguf", "ggml-vocab-llama.gguf"], "gguf Q4_0 100: a-Q4_0.gguf"),
        gguf("a projector alone", ["mmproj-F16.gguf", "README.md"], "400 no_artifact"),
        gguf(
            "projector with the model's name first", ["a-Q4_0.gguf", "a-mmproj-f16.gguf"],
            "gguf Q4_0 100: a-Q4_0.gguf + a-mmproj-f16.gguf?"),
        gguf(
            "quantization by the folder",
            ["Q4_K_M/a-00001-of-00002.gguf", "Q4_K_M/a-00002-of-00002.gguf", "Q2_K/a.gguf"],
            "gguf Q4_K_M 200: Q4_K_M/a-00001-of-00002.gguf, Q4_K_M/a-00002-of-00002.gguf | 1 others"),
        gguf(
            "a complete one before a better incomplete one", ["a-Q4_K_M-00001-of-00002.gguf", "a-Q8_0.gguf"],
            "gguf Q8_0 100: a-Q8_0.gguf"),
        gguf("only incomplete ones", ["a-Q4_K_M-00001-of-00002.gguf"], "400 incomplete_shards"),
        gguf("99,999 parts announced", ["a-Q4_K_M-00001-of-99999.gguf"], "400 incomplete_shards"),
        gguf("part 0 is no part", ["a-Q4_K_M-00000-of-00002.gguf"], "gguf Q4_K_M 100: a-Q4_K_M-00000-of-00002.gguf"),
        gguf("one part of one", ["a-Q4_K_M-00001-of-00001.gguf"], "gguf Q4_K_M 100: a-Q4_K_M-00001-of-00001.gguf"),
        gguf("upper-case ending", ["A-Q4_K_M.GGUF"], "gguf Q4_K_M 100: A-Q4_K_M.GGUF"),
        gguf(
            "2,001 parts",
            (1...2001).map { part in
                "a-Q4_0-" + String(repeating: "0", count: 5 - String(part).count) + "\(part)-of-02001.gguf"
            }, "400 unsupported_artifact"),
        gguf("nothing at all", [], "400 no_artifact"),
        RegistrationCase(
            name: "a part without a size",
            source: .made(
                SampleRepository([("a-Q4_0-00001-of-00002.gguf", 5), ("a-Q4_0-00002-of-00002.gguf", nil)])),
            expected: "gguf Q4_0 -: a-Q4_0-00001-of-00002.gguf, a-Q4_0-00002-of-00002.gguf"),
        RegistrationCase(
            name: "a size of 0", source: .made(SampleRepository([("a-Q4_0.gguf", 0)])),
            expected: "gguf Q4_0 -: a-Q4_0.gguf"),
    ]

    private static let root = ["config.json", "tokenizer.json"]
    private static let usual = "model.safetensors.index.json"

    private static let ofSafetensors: [RegistrationCase] = [
        safetensors("no config", ["model.safetensors", "tokenizer.json"], "400 missing_metadata"),
        safetensors(
            "no tokenizer", ["model.safetensors", "config.json"],
            "safetensors bitsandbytes 100: model.safetensors ! no_tokenizer"),
        safetensors(
            "vocab without merges", ["model.safetensors", "config.json", "vocab.json"],
            "safetensors bitsandbytes 100: model.safetensors"),
        safetensors(
            "vocab with merges", ["model.safetensors", "config.json", "vocab.json", "merges.txt"],
            "safetensors bitsandbytes 100: model.safetensors"),
        safetensors("two files, no index", root + ["a.safetensors", "b.safetensors"], "400 ambiguous_artifact"),
        safetensors(
            "two files, one asked for", root + ["a.safetensors", "b.safetensors"], filename: "b.safetensors",
            "safetensors bitsandbytes 100: b.safetensors"),
        safetensors(
            "a shard asked for is all shards",
            root + [usual, "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"],
            filename: "model-00002-of-00002.safetensors",
            contents: llama.merging([
                usual: index(["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"])
            ]) { $1 },
            "safetensors bitsandbytes 200: model-00001-of-00002.safetensors, model-00002-of-00002.safetensors + \(usual)"
        ),
        safetensors(
            "a shard that no index names", root + ["model-00001-of-00002.safetensors"],
            filename: "model-00001-of-00002.safetensors", "400 incomplete_shards"),
        safetensors(
            "a shard that the index does not name",
            root + [usual, "model-00001-of-00001.safetensors", "model-00009-of-00009.safetensors"],
            filename: "model-00009-of-00009.safetensors",
            contents: llama.merging([usual: index(["model-00001-of-00001.safetensors"])]) { $1 },
            "400 incomplete_shards"),
        safetensors(
            "a file beside the index",
            root + [usual, "model-00001-of-00001.safetensors", "model-extra.safetensors"],
            filename: "model-extra.safetensors",
            contents: llama.merging([usual: index(["model-00001-of-00001.safetensors"])]) { $1 },
            "safetensors bitsandbytes 100: model-extra.safetensors"),
        safetensors(
            "the usual index before another one",
            root + ["consolidated.safetensors.index.json", usual, "m.safetensors", "c.safetensors"],
            contents: llama.merging([usual: index(["m.safetensors"])]) { $1 },
            "safetensors bitsandbytes 100: m.safetensors + \(usual)"),
        safetensors(
            "two unusual indexes", root + ["a.safetensors.index.json", "b.safetensors.index.json"],
            "400 ambiguous_artifact"),
        safetensors(
            "an index asked for", root + ["a.safetensors.index.json", usual, "a1.safetensors"],
            filename: "a.safetensors.index.json",
            contents: llama.merging(["a.safetensors.index.json": index(["a1.safetensors"])]) { $1 },
            "safetensors bitsandbytes 100: a1.safetensors + a.safetensors.index.json"),
        safetensors(
            "an index in a folder, its paths relative to it",
            root + ["fp8/config.json", "fp8/tokenizer.json", "fp8/\(usual)", "fp8/m.safetensors", "m.safetensors"],
            filename: "fp8/\(usual)",
            contents: [
                "fp8/config.json": .fixture("config.nemotron_h_8b.json"), "fp8/\(usual)": index(["m.safetensors"]),
            ],
            "safetensors - 100: fp8/m.safetensors + fp8/\(usual) ! remote_code"),
        safetensors(
            "an index of paths that climb", root + [usual, "m.safetensors"],
            contents: llama.merging([usual: index(["../m.safetensors"])]) { $1 }, "400 incomplete_shards"),
        safetensors(
            "an index of absolute paths", root + [usual, "m.safetensors"],
            contents: llama.merging([usual: index(["/etc/passwd"])]) { $1 }, "400 incomplete_shards"),
        safetensors(
            "an index of other files", root + [usual, "m.safetensors"],
            contents: llama.merging([usual: index(["config.json"])]) { $1 }, "400 unsupported_artifact"),
        safetensors(
            "an index of nothing", root + [usual, "m.safetensors"],
            contents: llama.merging([usual: .text("{\"weight_map\":{}}")]) { $1 }, "400 incomplete_shards"),
        safetensors(
            "an index of numbers", root + [usual, "m.safetensors"],
            contents: llama.merging([usual: .text("{\"weight_map\":{\"a\":1}}")]) { $1 }, "400 incomplete_shards"),
        safetensors(
            "an index that is HTML", root + [usual, "m.safetensors"],
            contents: llama.merging([usual: .text("<!DOCTYPE html>")]) { $1 }, "400 incomplete_shards"),
        safetensors(
            "an index of 2,001 shards", root + [usual, "m.safetensors"],
            contents: llama.merging([usual: index((0...2000).map { "\($0).safetensors" })]) { $1 },
            "400 unsupported_artifact"),
        safetensors(
            "copies in folders only", root + ["original/model.safetensors", "onnx/model.safetensors"],
            "400 no_artifact"),
        safetensors(
            "model.metal.bin beside it", root + ["model.safetensors", "model.metal.bin"],
            "safetensors bitsandbytes 100: model.safetensors + model.metal.bin?"),
        safetensors(
            "its own quantization asked for", root + ["model.safetensors"], quantization: "BitsAndBytes",
            "safetensors bitsandbytes 100: model.safetensors"),
        safetensors(
            "another quantization asked for", root + ["model.safetensors"], quantization: "Q4_K_M",
            "400 unsupported_artifact"),
        RegistrationCase(
            name: "an index and no shards",
            source: .made(
                SampleRepository(
                    root.map { ($0, 1) }, extra: "{}"
                ).replacingIndexByLFS(usual)),
            contents: llama, expected: "400 incomplete_shards"),
    ]

    private static let ofBoth: [RegistrationCase] = [
        safetensors("both formats", root + ["a-Q4_0.gguf", "model.safetensors"], "400 ambiguous_artifact"),
        safetensors(
            "both formats, a quantization", root + ["a-Q4_0.gguf", "model.safetensors"],
            quantization: "Q4_0", "gguf Q4_0 100: a-Q4_0.gguf"),
        safetensors(
            "both formats, a GGUF file", root + ["a-Q4_0.gguf", "model.safetensors"], filename: "a-Q4_0.gguf",
            "gguf Q4_0 100: a-Q4_0.gguf"),
        safetensors(
            "both formats, a safetensors file", root + ["a-Q4_0.gguf", "model.safetensors"],
            filename: "model.safetensors", "safetensors bitsandbytes 100: model.safetensors"),
        safetensors(
            "both formats, a quantization that is not there", root + ["a-Q4_0.gguf", "model.safetensors"],
            quantization: "Q8_0", "400 file_not_found"),
        safetensors(
            "GGUF beside copies of safetensors in folders", root + ["a-Q4_0.gguf", "onnx/model.safetensors"],
            "gguf Q4_0 100: a-Q4_0.gguf"),
        safetensors(
            "safetensors beside a projector", root + ["mmproj-a.gguf", "model.safetensors"],
            "safetensors bitsandbytes 100: model.safetensors"),
    ]
}
