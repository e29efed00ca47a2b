@testable import Registrar

/// Kinds of files that are taken for models, and the shapes that metadata has: one line for each sibling of a kind.
extension RegistrationTable {
    private static func beside(_ model: String, _ file: String, _ rest: String = "") -> RegistrationCase {
        gguf("\(file) is not the model", [model, file], "gguf Q5_K_M 100: \(model)\(rest)")
    }

    private static let model = "acme-Q5_K_M.gguf"
    private static let shards = ["config.json", "tokenizer.json", "model.safetensors.index.json"]
    private static let four = (1...4).map { "model-0000\($0)-of-00004.safetensors" }
    private static let plain = RegistrationCase.Content.text(#"{"architectures":["Acme"],"model_type":"acme"}"#)
    private static let coded = RegistrationCase.Content.text(
        #"{"architectures":["Acme"],"auto_map":{"AutoModel":"modeling_acme.Acme"}}"#)

    static let ofKinds: [RegistrationCase] = ofCompanions + ofAdapters + ofImportance + ofTokenizers + ofIndexes

    private static let ofCompanions: [RegistrationCase] =
        ["mtp-acme-Q4_0.gguf", "MTP/acme-Q4_0-MTP.gguf", "MTP/acme-Q4_0.gguf", "draft/acme-Q4_0.gguf"].map {
            beside(model, $0, " + \($0)?")
        }
        + ["draft-acme-Q4_0.gguf", "acme-eagle3-Q4_0.gguf", "acme-Q4_0-MTP.gguf", "acme-dflash-Q4_0.gguf"].map {
            beside(model, $0, " + \($0)?")
        }
        + ["mmproj-acme-Q4_0.gguf", "acme-mmproj-Q4_0.gguf", "acme.mmproj-f16.gguf", "mm-projector-Q4_0.gguf"].map {
            beside(model, $0, " + \($0)?")
        }
        + ["acme-lora-Q4_0.gguf", "acme.lora.gguf", "LoRA-acme-f16.gguf", "imatrix.gguf", "acme-imatrix.gguf"].map {
            beside(model, $0)
        }
        + ["control-vector-acme-Q4_0.gguf", "ggml-vocab-acme.gguf", "acme.Q4_0.gguf.part1of2"].map { beside(model, $0) }
        + [
            gguf("MTP in the middle is a model", ["a-9B-MTP-Q4_K_M.gguf"], "gguf Q4_K_M 100: a-9B-MTP-Q4_K_M.gguf"),
            gguf(
                "MTP behind an underscore", ["a-Q8_0_MTP.gguf"], quantization: "Q8_0", "gguf Q8_0 100: a-Q8_0_MTP.gguf"),
            gguf("drafters alone", ["mtp-a-Q4_0.gguf", "mtp-a-Q8_0.gguf"], "400 unsupported_artifact"),
            gguf("a drafter asked for", [model, "mtp-a.gguf"], filename: "mtp-a.gguf", "400 unsupported_artifact"),
            gguf(
                "a quantization that a drafter has too", ["a-Q8_0.gguf", "MTP/a-Q8_0-MTP.gguf"], quantization: "Q8_0",
                "gguf Q8_0 100: a-Q8_0.gguf + MTP/a-Q8_0-MTP.gguf?"),
            gguf(
                "the projector of the precision asked for",
                ["a-Q8_0.gguf", "mmproj-BF16.gguf", "mmproj-F16.gguf", "mmproj-Q8_0.gguf"], quantization: "Q8_0",
                "gguf Q8_0 100: a-Q8_0.gguf + mmproj-Q8_0.gguf?"),
            gguf(
                "the projector of the model", ["b-Q4_0.gguf", "mmproj-a-F16.gguf", "mmproj-b-F32.gguf"],
                "gguf Q4_0 100: b-Q4_0.gguf + mmproj-b-F32.gguf?"),
            gguf(
                "a projector in the model's folder", ["b/m-Q4_0.gguf", "a/mmproj-F16.gguf", "b/mmproj-F32.gguf"],
                "gguf Q4_0 100: b/m-Q4_0.gguf + b/mmproj-F32.gguf?"),
            gguf(
                "parts that have to be joined", ["a.Q6_K.gguf.part1of2", "a.Q6_K.gguf.part2of2"],
                "400 unsupported_artifact"),
            gguf(
                "a part that has to be joined, asked for", [model, "a.gguf-split-a"], filename: "a.gguf-split-a",
                "400 unsupported_artifact"),
            gguf("MXFP6", ["a-MXFP6.gguf"], quantization: "mxfp6", "gguf MXFP6 100: a-MXFP6.gguf"),
            gguf("Q4_0_v2", ["a-Q4_0_v2.gguf"], quantization: "Q4_0", "gguf Q4_0 100: a-Q4_0_v2.gguf"),
            gguf("Q4_K_M_32k", ["a-Q4_K_M_32k.gguf"], quantization: "Q4_K_M", "gguf Q4_K_M 100: a-Q4_K_M_32k.gguf"),
            gguf("ARM repacks are last", ["a-Q4_0_8_8.gguf", "a-F32.gguf"], "gguf F32 100: a-F32.gguf | 1 others"),
        ]

    private static let ofAdapters: [RegistrationCase] = [
        gguf("a GGUF adapter alone", ["acme-lora-f16.gguf"], "400 unsupported_artifact"),
        gguf("a GGUF adapter that does not say", ["acme-lora.gguf"], "400 unsupported_artifact"),
        gguf("merged with LoRA", ["acme-lora-merged-Q4_K_M.gguf"], "gguf Q4_K_M 100: acme-lora-merged-Q4_K_M.gguf"),
        gguf(
            "a GGUF adapter asked for", [model, "acme-lora-f16.gguf"], filename: "acme-lora-f16.gguf",
            "400 unsupported_artifact"),
        safetensors(
            "an adapter asked for", ["adapter_config.json", "adapter_model.safetensors", "config.json"],
            filename: "adapter_model.safetensors", "400 unsupported_artifact"),
        safetensors(
            "an adapter without its config", ["adapter_model.safetensors", "tokenizer.json"], "400 unsupported_artifact"
        ),
        safetensors(
            "a GGUF model beside an adapter's config",
            ["adapter_config.json", "adapter_model.safetensors", "a-Q4_0.gguf"], "gguf Q4_0 100: a-Q4_0.gguf"),
    ]

    private static let ofImportance: [RegistrationCase] = [
        gguf(
            "quantized with an importance matrix",
            ["a-Q4_K_M-imatrix.gguf", "a-IQ4_XS-imatrix.gguf", "a.imatrix", "imatrix_unsloth.gguf"],
            "gguf Q4_K_M 100: a-Q4_K_M-imatrix.gguf | 1 others"),
        gguf(
            "quantized with an importance matrix, asked for", ["a-Q4_K_M-imatrix.gguf"],
            filename: "a-Q4_K_M-imatrix.gguf", "gguf Q4_K_M 100: a-Q4_K_M-imatrix.gguf"),
    ]

    private static let ofTokenizers: [RegistrationCase] =
        [
            "tokenizer.json", "tokenizer.model", "tokenizer.model.v3", "tekken.json", "tiktoken.model", "qwen.tiktoken",
            "spiece.model", "sentencepiece.bpe.model", "vocab.txt", "vocab.json", "source.spm",
        ].map { name in
            safetensors(
                "\(name) is a tokenizer", ["config.json", name, "model.safetensors"], contents: ["config.json": plain],
                "safetensors - 100: model.safetensors")
        } + [
            safetensors(
                "tokenizer_config.json alone is none", ["config.json", "tokenizer_config.json", "model.safetensors"],
                contents: ["config.json": plain], "safetensors - 100: model.safetensors ! no_tokenizer"),
            safetensors(
                "code without auto_map", ["config.json", "tokenizer.json", "train.py", "model.safetensors"],
                contents: ["config.json": plain], "safetensors - 100: model.safetensors"),
            safetensors(
                "code by config.json", ["config.json", "tokenizer.json", "a.py", "x/b.py", "model.safetensors"],
                contents: ["config.json": coded], "safetensors - 100: model.safetensors + a.py? ! remote_code"),
            safetensors(
                "code by tokenizer_config.json",
                ["config.json", "tokenizer_config.json", "tiktoken.model", "a.py", "model.safetensors"],
                contents: ["config.json": plain, "tokenizer_config.json": coded],
                "safetensors - 100: model.safetensors + a.py? ! remote_code"),
            safetensors(
                "code by preprocessor_config.json",
                ["config.json", "preprocessor_config.json", "tokenizer.json", "a.py", "model.safetensors"],
                contents: ["config.json": plain, "preprocessor_config.json": coded],
                "safetensors - 100: model.safetensors + a.py? ! remote_code"),
        ]

    private static let ofIndexes: [RegistrationCase] = [
        safetensors(
            "params.json that is no JSON", ["params.json", "tekken.json", "consolidated.safetensors"],
            contents: ["params.json": .text("<html>")], "400 missing_metadata"),
        safetensors(
            "consolidated with config.json", ["config.json", "params.json", "tekken.json", "consolidated.safetensors"],
            contents: ["config.json": plain], "safetensors - 100: consolidated.safetensors"),
        safetensors(
            "another index beside model.safetensors",
            [
                "config.json", "tokenizer.json", "consolidated.safetensors.index.json",
                "consolidated-00001-of-00001.safetensors",
            ]
                + ["model.safetensors"],
            contents: ["config.json": plain], "safetensors - 100: model.safetensors"),
        safetensors(
            "an index that is not read, shards whole", shards + four, contents: ["config.json": plain],
            "safetensors - 400: \(four[0]) … \(four[3]) (4) ! index_ignored"),
        safetensors(
            "an index of another build, shards whole", shards + four,
            contents: [
                "config.json": plain,
                "model.safetensors.index.json": index((10...13).map { "model-000\($0)-of-00013.safetensors" }),
            ], "safetensors - 400: \(four[0]) … \(four[3]) (4) ! index_ignored"),
        safetensors(
            "an index of another build, a shard asked for", shards + four, filename: four[1],
            contents: [
                "config.json": plain, "model.safetensors.index.json": index(["model-00001-of-00002.safetensors"]),
            ],
            "safetensors - 400: \(four[0]) … \(four[3]) (4) ! index_ignored"),
        safetensors(
            "an index of another build, a shard lacks", shards + four.dropLast(),
            contents: [
                "config.json": plain, "model.safetensors.index.json": index(["model-00001-of-00002.safetensors"]),
            ],
            "400 incomplete_shards"),
        safetensors(
            "an index, a shard lacks", shards + four.dropLast(),
            contents: ["config.json": plain, "model.safetensors.index.json": index(four)], "400 incomplete_shards"),
        safetensors(
            "an index of another build, two whole sets",
            shards + ["a-1-of-2.safetensors", "a-2-of-2.safetensors", "b-1-of-1.safetensors"],
            contents: [
                "config.json": plain, "model.safetensors.index.json": index(["model-00001-of-00002.safetensors"]),
            ],
            "400 incomplete_shards"),
        safetensors(
            "an index of another build, one file", shards + ["model.safetensors"],
            contents: [
                "config.json": plain, "model.safetensors.index.json": index(["model-00001-of-00002.safetensors"]),
            ],
            "safetensors - 100: model.safetensors ! index_ignored"),
        safetensors(
            "no index, shards whole", ["config.json", "tokenizer.json"] + four, contents: ["config.json": plain],
            "safetensors - 400: \(four[0]) … \(four[3]) (4) ! index_missing"),
        safetensors(
            "no index, numbers of other lengths",
            ["config.json", "tokenizer.json"] + (1...3).map { "model-\($0)-of-000003.safetensors" },
            contents: ["config.json": plain],
            "safetensors - 300: model-1-of-000003.safetensors, model-2-of-000003.safetensors, model-3-of-000003.safetensors ! index_missing"
        ),
        safetensors(
            "no index, a shard lacks", ["config.json", "tokenizer.json"] + four.dropLast(),
            contents: ["config.json": plain], "400 incomplete_shards"),
        safetensors(
            "modules.json that is no list", ["config.json", "tokenizer.json", "modules.json", "model.safetensors"],
            contents: ["config.json": plain, "modules.json": .text("{}")], "safetensors - 100: model.safetensors"),
        safetensors(
            "modules.json that climbs", ["config.json", "tokenizer.json", "modules.json", "model.safetensors"],
            contents: [
                "config.json": plain, "modules.json": .text(#"[{"path":"../.."},{"path":"/etc"},{"path":"."}]"#),
            ],
            "safetensors - 100: model.safetensors"),
    ]
}
