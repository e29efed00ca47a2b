@testable import Registrar

/// Repositories as people have them: the names and sizes of their files, shortened to what the rules look at.
extension RegistrationTable {
    private static func real(
        _ name: String, _ files: String, filename: String? = nil, quantization: String? = nil, _ expected: String
    ) -> RegistrationCase {
        RegistrationCase(
            name: name, source: .made(SampleRepository(RepositoryShape(files).files)), filename: filename,
            quantization: quantization, expected: expected)
    }

    static let ofRealGGUF: [RegistrationCase] = [
        real(
            "unsloth/Qwen3-30B-A3B-Instruct-2507-GGUF",
            """
            BF16/Qwen3-30B-A3B-Instruct-2507-BF16-{1-2}-of-00002.gguf 30G  Qwen3-30B-A3B-Instruct-2507-IQ4_NL.gguf 17G \
            Qwen3-30B-A3B-Instruct-2507-IQ4_XS.gguf 16G  Qwen3-30B-A3B-Instruct-2507-Q2_K.gguf 11G \
            Qwen3-30B-A3B-Instruct-2507-Q3_K_M.gguf 14G  Qwen3-30B-A3B-Instruct-2507-Q4_0.gguf 17G \
            Qwen3-30B-A3B-Instruct-2507-Q4_K_M.gguf 18G  Qwen3-30B-A3B-Instruct-2507-Q8_0.gguf 32G \
            Qwen3-30B-A3B-Instruct-2507-UD-Q4_K_XL.gguf 17G  Qwen3-30B-A3B-Instruct-2507-UD-TQ1_0.gguf 8G \
            config.json 1k  imatrix_unsloth.dat 100M  params 1k  template 2k
            """,
            "gguf Q4_K_M 18000000000: Qwen3-30B-A3B-Instruct-2507-Q4_K_M.gguf | 9 others"),
        real(
            "unsloth/Qwen3.6-27B-MTP-GGUF",
            """
            BF16/Qwen3.6-27B-BF16-{1-2}-of-00002.gguf 27G  Qwen3.6-27B-Q4_K_M.gguf 17G \
            Qwen3.6-27B-UD-Q4_K_XL.gguf 18G  Qwen3.6-27B-Q8_0.gguf 29G  imatrix_unsloth.gguf_file 14M \
            mmproj-BF16.gguf 931M  mmproj-F16.gguf 928M  mmproj-F32.gguf 1846M
            """,
            "gguf Q4_K_M 17000000000: Qwen3.6-27B-Q4_K_M.gguf + mmproj-BF16.gguf? | 3 others"),
        real(
            "ggml-org/Qwen3.6-27B-MTP-GGUF",
            """
            Qwen3.6-27B-MTP-Q4_K_M.gguf 17G  Qwen3.6-27B-MTP-Q8_0.gguf 29G  mmproj-Qwen3.6-27B-MTP-Q8_0.gguf 630M
            """,
            "gguf Q4_K_M 17000000000: Qwen3.6-27B-MTP-Q4_K_M.gguf + mmproj-Qwen3.6-27B-MTP-Q8_0.gguf? | 1 others"),
        real(
            "unsloth/gemma-3-27b-it-GGUF",
            """
            gemma-3-27b-it-BF16-{1-2}-of-00002.gguf 27G  gemma-3-27b-it-Q4_0.gguf 15G  gemma-3-27b-it-Q4_K_M.gguf 16G \
            gemma-3-27b-it-Q8_0.gguf 28G  gemma-3-27b-it-UD-IQ1_S.gguf 6G  mmproj-BF16.gguf 858M  mmproj-F16.gguf 858M \
            mmproj-F32.gguf 1690M
            """,
            "gguf Q4_K_M 16000000000: gemma-3-27b-it-Q4_K_M.gguf + mmproj-BF16.gguf? | 4 others"),
        real(
            "google/gemma-3-12b-it-qat-q4_0-gguf",
            """
            gemma-3-12b-it-q4_0.gguf 8G  mmproj-model-f16-12B.gguf 854M
            """,
            "gguf Q4_0 8000000000: gemma-3-12b-it-q4_0.gguf + mmproj-model-f16-12B.gguf?"),
        real(
            "unsloth/gemma-4-12b-it-GGUF",
            """
            gemma-4-12b-it-Q4_K_M.gguf 7G  gemma-4-12b-it-Q8_0.gguf 12G  MTP/gemma-4-12b-it-Q8_0-MTP.gguf 97M \
            MTP/gemma-4-12b-it-BF16-MTP.gguf 170M  mtp-gemma-4-12b-it.gguf 97M  mmproj-BF16.gguf 800M \
            mmproj-F16.gguf 800M
            """,
            "gguf Q4_K_M 7000000000: gemma-4-12b-it-Q4_K_M.gguf + MTP/gemma-4-12b-it-BF16-MTP.gguf?, MTP/gemma-4-12b-it-Q8_0-MTP.gguf?, mmproj-BF16.gguf?, mtp-gemma-4-12b-it.gguf? | 1 others"
        ),
        real(
            "unsloth/gemma-4-12b-it-qat-GGUF",
            """
            gemma-4-12b-it-qat-UD-Q4_K_XL.gguf 6G  mtp-gemma-4-12b-it-qat-Q4_0.gguf 200M  mmproj-F16.gguf 800M
            """,
            "gguf UD-Q4_K_XL 6000000000: gemma-4-12b-it-qat-UD-Q4_K_XL.gguf + mmproj-F16.gguf?, mtp-gemma-4-12b-it-qat-Q4_0.gguf?"
        ),
        real(
            "ggml-org/gpt-oss-120b-GGUF",
            """
            gpt-oss-120b-mxfp4-{1-3}-of-00003.gguf 21G  template-chat.jinja 15k
            """,
            "gguf MXFP4 63000000000: gpt-oss-120b-mxfp4-00001-of-00003.gguf, gpt-oss-120b-mxfp4-00002-of-00003.gguf, gpt-oss-120b-mxfp4-00003-of-00003.gguf"
        ),
        real(
            "unsloth/gpt-oss-20b-GGUF",
            """
            gpt-oss-20b-F16.gguf 14G  gpt-oss-20b-Q4_K_M.gguf 12G  gpt-oss-20b-Q8_0.gguf 12G \
            gpt-oss-20b-UD-Q4_K_XL.gguf 12G
            """,
            "gguf Q4_K_M 12000000000: gpt-oss-20b-Q4_K_M.gguf | 3 others"),
        real(
            "unsloth/DeepSeek-V3.1-GGUF",
            """
            Q4_K_M/DeepSeek-V3.1-Q4_K_M-{1-9}-of-00009.gguf 45G  Q8_0/DeepSeek-V3.1-Q8_0-{1-15}-of-00015.gguf 47G \
            UD-TQ1_0/DeepSeek-V3.1-UD-TQ1_0-{1-4}-of-00004.gguf 44G  DeepSeek-V3.1-UD-TQ1_0.gguf 170G
            """,
            "gguf Q4_K_M 405000000000: Q4_K_M/DeepSeek-V3.1-Q4_K_M-00001-of-00009.gguf … Q4_K_M/DeepSeek-V3.1-Q4_K_M-00009-of-00009.gguf (9) | 3 others"
        ),
        real(
            "unsloth/Kimi-K2-Instruct-0905-GGUF",
            """
            UD-Q2_K_XL/Kimi-K2-Instruct-0905-UD-Q2_K_XL-{1-8}-of-00008.gguf 48G \
            UD-IQ1_S/Kimi-K2-Instruct-0905-UD-IQ1_S-{1-6}-of-00006.gguf 47G \
            BF16/Kimi-K2-Instruct-0905-BF16-{1-45}-of-00045.gguf 46G
            """,
            "gguf UD-Q2_K_XL 384000000000: UD-Q2_K_XL/Kimi-K2-Instruct-0905-UD-Q2_K_XL-00001-of-00008.gguf … UD-Q2_K_XL/Kimi-K2-Instruct-0905-UD-Q2_K_XL-00008-of-00008.gguf (8) | 2 others"
        ),
        real(
            "unsloth/GLM-4.6-GGUF",
            """
            Q4_K_S/GLM-4.6-Q4_K_S-{1-5}-of-00005.gguf 41G  UD-Q4_K_XL/GLM-4.6-UD-Q4_K_XL-{1-5}-of-00005.gguf 41G \
            IQ4_XS/GLM-4.6-IQ4_XS-{1-4}-of-00004.gguf 48G  GLM-4.6-UD-TQ1_0.gguf 84G
            """,
            "gguf Q4_K_S 205000000000: Q4_K_S/GLM-4.6-Q4_K_S-00001-of-00005.gguf … Q4_K_S/GLM-4.6-Q4_K_S-00005-of-00005.gguf (5) | 3 others"
        ),
        real(
            "unsloth/MiniMax-M2.5-GGUF",
            """
            UD-Q3_K_XL/MiniMax-M2.5-UD-Q3_K_XL-{1-4}-of-00004.gguf 25G  Q6_K/MiniMax-M2.5-Q6_K-{1-5}-of-00005.gguf 38G \
            Q8_0/MiniMax-M2.5-Q8_0-{1-6}-of-00006.gguf 41G
            """,
            "gguf Q6_K 190000000000: Q6_K/MiniMax-M2.5-Q6_K-00001-of-00005.gguf … Q6_K/MiniMax-M2.5-Q6_K-00005-of-00005.gguf (5) | 2 others"
        ),
        real(
            "unsloth/Llama-4-Scout-17B-16E-Instruct-GGUF",
            """
            Q4_K_M/Llama-4-Scout-17B-16E-Instruct-Q4_K_M-{1-2}-of-00002.gguf 33G \
            Llama-4-Scout-17B-16E-Instruct-UD-IQ2_M.gguf 39G  mmproj-BF16.gguf 1749M  mmproj-F16.gguf 1749M \
            mmproj-F32.gguf 3497M
            """,
            "gguf Q4_K_M 66000000000: Q4_K_M/Llama-4-Scout-17B-16E-Instruct-Q4_K_M-00001-of-00002.gguf, Q4_K_M/Llama-4-Scout-17B-16E-Instruct-Q4_K_M-00002-of-00002.gguf + mmproj-BF16.gguf? | 1 others"
        ),
        real(
            "bartowski/Meta-Llama-3.1-8B-Instruct-GGUF",
            """
            Meta-Llama-3.1-8B-Instruct-Q4_0_4_4.gguf 4661M  Meta-Llama-3.1-8B-Instruct-Q4_0_4_8.gguf 4661M \
            Meta-Llama-3.1-8B-Instruct-Q4_0_8_8.gguf 4661M  Meta-Llama-3.1-8B-Instruct-Q5_K_L.gguf 6057M \
            Meta-Llama-3.1-8B-Instruct-Q6_K_L.gguf 6851M  Meta-Llama-3.1-8B-Instruct-f32.gguf 32G \
            Meta-Llama-3.1-8B-Instruct.imatrix 4M
            """,
            "gguf Q5_K_L 6057000000: Meta-Llama-3.1-8B-Instruct-Q5_K_L.gguf | 5 others"),
        real(
            "mradermacher/Qwen3-Coder-30B-i1-GGUF",
            """
            Qwen3-Coder-30B.i1-IQ1_S.gguf 6G  Qwen3-Coder-30B.i1-Q4_K_M.gguf 18G  Qwen3-Coder-30B.i1-Q4_1.gguf 19G \
            Qwen3-Coder-30B.i1-Q6_K.gguf 25G  Qwen3-Coder-30B.imatrix.gguf 130M
            """,
            "gguf Q4_K_M 18000000000: Qwen3-Coder-30B.i1-Q4_K_M.gguf | 3 others"),
        real(
            "mradermacher/Llama-3.1-405B-GGUF",
            """
            Llama-3.1-405B.Q2_K.gguf.part1of4 38G  Llama-3.1-405B.Q2_K.gguf.part2of4 38G \
            Llama-3.1-405B.Q2_K.gguf.part3of4 38G  Llama-3.1-405B.Q2_K.gguf.part4of4 38G
            """,
            "400 unsupported_artifact"),
        real(
            "TheBloke/Falcon-180B-Chat-GGUF",
            """
            falcon-180b-chat.Q2_K.gguf-split-a 37G  falcon-180b-chat.Q2_K.gguf-split-b 37G
            """,
            "400 unsupported_artifact"),
        real(
            "TheBloke/alpaca-lora-65B-GGUF",
            """
            alpaca-lora-65b.Q2_K.gguf 27G  alpaca-lora-65b.Q4_K_M.gguf 39G  alpaca-lora-65b.Q8_0.gguf 69G \
            config.json 1k
            """,
            "gguf Q4_K_M 39000000000: alpaca-lora-65b.Q4_K_M.gguf | 1 others"),
        real(
            "ngxson/LoRA-Qwen2.5-7B-Instruct-abliterated-F16-GGUF",
            """
            LoRA-Qwen2.5-7B-Instruct-abliterated-f16.gguf 320M
            """,
            "400 unsupported_artifact"),
        real(
            "Qwen/Qwen2.5-7B-Instruct-GGUF",
            """
            qwen2.5-7b-instruct-fp16-{1-4}-of-00004.gguf 4G  qwen2.5-7b-instruct-q4_0-{1-2}-of-00002.gguf 2G \
            qwen2.5-7b-instruct-q4_k_m-{1-2}-of-00002.gguf 2G  qwen2.5-7b-instruct-q3_k_m.gguf 4G \
            qwen2.5-7b-instruct-q8_0-{1-3}-of-00003.gguf 3G
            """,
            "gguf Q4_K_M 4000000000: qwen2.5-7b-instruct-q4_k_m-00001-of-00002.gguf, qwen2.5-7b-instruct-q4_k_m-00002-of-00002.gguf | 4 others"
        ),
        real(
            "microsoft/phi-4-gguf",
            """
            phi-4-Q4_0.gguf 8G  phi-4-Q4_K.gguf 9G  phi-4-Q8_0.gguf 16G  phi-4-bf16.gguf 29G
            """,
            "gguf Q4_0 8000000000: phi-4-Q4_0.gguf | 3 others"),
        real(
            "microsoft/bitnet-b1.58-2B-4T-gguf",
            """
            ggml-model-i2_s.gguf 1187M
            """,
            "gguf I2_S 1187000000: ggml-model-i2_s.gguf"),
        real(
            "ibm-granite/granite-4.0-h-small-GGUF",
            """
            granite-4.0-h-small-Q4_K_M.gguf 19G  granite-4.0-h-small-Q4_K_S.gguf 18G \
            granite-4.0-h-small-Q8_0.gguf 34G  granite-4.0-h-small-f16.gguf 64G
            """,
            "gguf Q4_K_M 19000000000: granite-4.0-h-small-Q4_K_M.gguf | 3 others"),
        real(
            "unsloth/Nemotron-3-Nano-30B-A3B-GGUF",
            """
            Nemotron-3-Nano-30B-A3B-MXFP4_MOE.gguf 18G  Nemotron-3-Nano-30B-A3B-UD-Q4_K_XL.gguf 22G \
            Nemotron-3-Nano-30B-A3B-Q8_0.gguf 33G
            """,
            "gguf UD-Q4_K_XL 22000000000: Nemotron-3-Nano-30B-A3B-UD-Q4_K_XL.gguf | 2 others"),
        real(
            "unsloth/Devstral-Small-2507-GGUF",
            """
            Devstral-Small-2507-Q4_K_M.gguf 14G  Devstral-Small-2507-UD-Q4_K_XL.gguf 14G \
            Devstral-Small-2507-BF16.gguf 47G  mmproj-BF16.gguf 878M  mmproj-F16.gguf 878M  mmproj-F32.gguf 1755M
            """,
            "gguf Q4_K_M 14000000000: Devstral-Small-2507-Q4_K_M.gguf + mmproj-BF16.gguf? | 2 others"),
        real(
            "ggml-org/SmolVLM2-2.2B-Instruct-GGUF",
            """
            SmolVLM2-2.2B-Instruct-Q4_K_M.gguf 1112M  SmolVLM2-2.2B-Instruct-Q8_0.gguf 1929M \
            mmproj-SmolVLM2-2.2B-Instruct-Q8_0.gguf 593M  mmproj-SmolVLM2-2.2B-Instruct-f16.gguf 872M
            """,
            "gguf Q4_K_M 1112000000: SmolVLM2-2.2B-Instruct-Q4_K_M.gguf + mmproj-SmolVLM2-2.2B-Instruct-f16.gguf? | 1 others"
        ),
        real(
            "nomic-ai/nomic-embed-text-v1.5-GGUF",
            """
            nomic-embed-text-v1.5.Q2_K.gguf 49M  nomic-embed-text-v1.5.Q4_0.gguf 78M \
            nomic-embed-text-v1.5.Q4_K_M.gguf 84M  nomic-embed-text-v1.5.Q8_0.gguf 146M \
            nomic-embed-text-v1.5.f16.gguf 274M  nomic-embed-text-v1.5.f32.gguf 548M
            """,
            "gguf Q4_K_M 84000000: nomic-embed-text-v1.5.Q4_K_M.gguf | 5 others"),
        real(
            "Qwen/Qwen3-Embedding-0.6B-GGUF",
            """
            Qwen3-Embedding-0.6B-Q8_0.gguf 639M  Qwen3-Embedding-0.6B-f16.gguf 1197M
            """,
            "gguf Q8_0 639000000: Qwen3-Embedding-0.6B-Q8_0.gguf | 1 others"),
        real(
            "gpustack/bge-reranker-v2-m3-GGUF",
            """
            bge-reranker-v2-m3-FP16.gguf 1160M  bge-reranker-v2-m3-Q2_K.gguf 366M  bge-reranker-v2-m3-Q4_0.gguf 419M \
            bge-reranker-v2-m3-Q8_0.gguf 636M
            """,
            "gguf Q4_0 419000000: bge-reranker-v2-m3-Q4_0.gguf | 3 others"),
        real(
            "OuteAI/Llama-OuteTTS-1.0-1B-GGUF",
            """
            Llama-OuteTTS-1.0-1B-FP16.gguf 2501M  Llama-OuteTTS-1.0-1B-Q4_K_S.gguf 770M \
            Llama-OuteTTS-1.0-1B-Q8_0.gguf 1330M
            """,
            "gguf Q4_K_S 770000000: Llama-OuteTTS-1.0-1B-Q4_K_S.gguf | 2 others"),
        real(
            "nvidia/eagle3-draft-GGUF",
            """
            gpt-oss-120b-eagle3-Q8_0.gguf 1G  gpt-oss-120b-eagle3-F16.gguf 2G
            """,
            "400 unsupported_artifact"),
        real(
            "jukofyork/DeepSeek-R1-DRAFT-0.6B-v2.0-GGUF",
            """
            DeepSeek-R1-DRAFT-0.6B-v2.0-Q4_0.gguf 400M  DeepSeek-R1-DRAFT-0.6B-v2.0-Q8_0.gguf 800M
            """,
            "gguf Q4_0 400000000: DeepSeek-R1-DRAFT-0.6B-v2.0-Q4_0.gguf | 1 others"),
    ]
}
