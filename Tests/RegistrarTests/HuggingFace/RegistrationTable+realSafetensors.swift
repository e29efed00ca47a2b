@testable import Registrar

/// Repositories as people have them: the names and sizes of their files, shortened to what the rules look at, and the
/// fields of their configs that are read.
extension RegistrationTable {
    /// Indexes name all shards of the shape, if `contents` has no other.
    private static func real(
        _ name: String, _ files: String, config: RegistrationCase.Content? = nil,
        contents: [String: RegistrationCase.Content] = [:], _ expected: String
    ) -> RegistrationCase {
        let shape = RepositoryShape(files)
        var all = shape.indexes.merging(contents) { $1 }
        all["config.json"] = config
        return RegistrationCase(
            name: name, source: .made(SampleRepository(shape.files)), contents: all, expected: expected)
    }

    private static func config(
        _ architecture: String, _ type: String, _ context: Int? = nil, _ more: String = ""
    ) -> RegistrationCase.Content {
        let context = context.map { ",\"max_position_embeddings\":\($0)" } ?? ""
        return .text("{\"architectures\":[\"\(architecture)\"],\"model_type\":\"\(type)\"\(context)\(more)}")
    }

    private static func modules(_ paths: String...) -> RegistrationCase.Content {
        .text("[" + paths.map { "{\"path\":\"\($0)\"}" }.joined(separator: ",") + "]")
    }

    static let ofRealSafetensors: [RegistrationCase] = [
        real(
            "Qwen/Qwen3-0.6B",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k  vocab.json 3M \
            merges.txt 2M  model.safetensors 1503M
            """,
            config: config("Qwen3ForCausalLM", "qwen3", 40960),
            "safetensors - 1503000000: model.safetensors"),
        real(
            "Qwen/Qwen3-8B",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k  vocab.json 3M \
            merges.txt 2M  model.safetensors.index.json 60k  model-{1-5}-of-00005.safetensors 3276M
            """,
            config: config("Qwen3ForCausalLM", "qwen3", 40960),
            "safetensors - 16380000000: model-00001-of-00005.safetensors … model-00005-of-00005.safetensors (5) + model.safetensors.index.json"
        ),
        real(
            "Qwen/Qwen3-32B-AWQ",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k  vocab.json 3M \
            merges.txt 2M  model.safetensors.index.json 60k  model-{1-4}-of-00004.safetensors 4830M
            """,
            config: config(
                "Qwen3ForCausalLM", "qwen3", 40960,
                #","quantization_config":{"quant_method":"awq","bits":4}"#),
            "safetensors awq 19320000000: model-00001-of-00004.safetensors … model-00004-of-00004.safetensors (4) + model.safetensors.index.json"
        ),
        real(
            "Qwen/Qwen3-VL-8B-Instruct",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k  vocab.json 3M \
            merges.txt 2M  model.safetensors.index.json 60k  chat_template.json 5k  preprocessor_config.json 1k \
            video_preprocessor_config.json 1k  model-{1-4}-of-00004.safetensors 4385M
            """,
            config: config(
                "Qwen3VLForConditionalGeneration", "qwen3_vl", nil,
                #","text_config":{"max_position_embeddings":262144}"#),
            "safetensors - 17540000000: model-00001-of-00004.safetensors … model-00004-of-00004.safetensors (4) + model.safetensors.index.json"
        ),
        real(
            "Qwen/Qwen3.5-35B-A3B",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k  vocab.json 3M \
            merges.txt 2M  model.safetensors.index.json 60k  chat_template.jinja 8k  preprocessor_config.json 1k \
            video_preprocessor_config.json 1k  model.safetensors-{1-14}-of-00014.safetensors 5G
            """,
            config: config(
                "Qwen3_5MoeForConditionalGeneration", "qwen3_5_moe", nil,
                #","text_config":{"max_position_embeddings":262144}"#),
            contents: [
                "model.safetensors.index.json": index(
                    (1...14).map { String("model.safetensors-000\($0 < 10 ? "0" : "")\($0)-of-00014.safetensors") })
            ],
            "safetensors - 70000000000: model.safetensors-00001-of-00014.safetensors … model.safetensors-00014-of-00014.safetensors (14) + model.safetensors.index.json"
        ),
        real(
            "Qwen/Qwen3-Coder-Next",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k  vocab.json 3M \
            merges.txt 2M  model.safetensors.index.json 60k  chat_template.jinja 6k \
            qwen3coder_tool_parser_vllm.py 30k  model-{1-40}-of-00040.safetensors 3985M
            """,
            config: config("Qwen3ForCausalLM", "qwen3", 40960),
            "safetensors - 159400000000: model-00001-of-00040.safetensors … model-00040-of-00040.safetensors (40) + model.safetensors.index.json"
        ),
        real(
            "google/gemma-3-27b-it",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k \
            special_tokens_map.json 1k  model.safetensors.index.json 60k  added_tokens.json 1k  chat_template.json 2k \
            preprocessor_config.json 1k  processor_config.json 1k  tokenizer.model 5M \
            model-{1-12}-of-00012.safetensors 4600M
            """,
            config: config(
                "Gemma3ForConditionalGeneration", "gemma3", nil,
                #","text_config":{"hidden_size":5376}"#),
            "safetensors - 55200000000: model-00001-of-00012.safetensors … model-00012-of-00012.safetensors (12) + model.safetensors.index.json"
        ),
        real(
            "google/gemma-4-31B-it",
            """
            config.json 5k  generation_config.json 1k  chat_template.jinja 12k  processor_config.json 2k \
            tokenizer.json 32M  tokenizer_config.json 2k  model.safetensors.index.json 60k \
            model-{1-2}-of-00002.safetensors 31G
            """,
            config: config(
                "Gemma4ForConditionalGeneration", "gemma4", nil,
                #","text_config":{"max_position_embeddings":262144}"#),
            "safetensors - 62000000000: model-00001-of-00002.safetensors, model-00002-of-00002.safetensors + model.safetensors.index.json"
        ),
        real(
            "moonshotai/Kimi-K2-Instruct",
            """
            config.json 2k  configuration_deepseek.py 11k  generation_config.json 1k  modeling_deepseek.py 80k \
            tiktoken.model 3M  tokenization_kimi.py 13k  tokenizer_config.json 3k  chat_template.jinja 2k \
            model.safetensors.index.json 60k  model-{1-61}-of-00061.safetensors 17G
            """,
            config: config(
                "DeepseekV3ForCausalLM", "kimi_k2", 131072,
                #","auto_map":{"AutoConfig":"configuration_deepseek.DeepseekV3Config"},"quantization_config":{"quant_method":"fp8"}"#
            ),
            "safetensors fp8 1037000000000: model-00001-of-00061.safetensors … model-00061-of-00061.safetensors (61) + configuration_deepseek.py?, modeling_deepseek.py?, tokenization_kimi.py?, model.safetensors.index.json ! remote_code"
        ),
        real(
            "moonshotai/Kimi-K2-Thinking",
            """
            config.json 4k  configuration_deepseek.py 11k  generation_config.json 1k  modeling_deepseek.py 80k \
            tiktoken.model 3M  tokenization_kimi.py 13k  tokenizer_config.json 3k  chat_template.jinja 4k \
            model.safetensors.index.json 23M  model-{1-62}-of-000062.safetensors 9600M
            """,
            config: config(
                "DeepseekV3ForCausalLM", "kimi_k2", 131072,
                #","auto_map":{"AutoConfig":"configuration_deepseek.DeepseekV3Config"},"quantization_config":{"quant_method":"fp8"}"#
            ),
            "safetensors fp8 595200000000: model-00001-of-000062.safetensors … model-00062-of-000062.safetensors (62) + configuration_deepseek.py?, modeling_deepseek.py?, tokenization_kimi.py?, model.safetensors.index.json ! remote_code"
        ),
        real(
            "moonshotai/Kimi-K2.5",
            """
            config.json 4k  configuration_deepseek.py 11k  configuration_kimi_k25.py 9k  kimi_k25_processor.py 8k \
            media_utils.py 11k  modeling_deepseek.py 80k  modeling_kimi_k25.py 50k  preprocessor_config.json 1k \
            tiktoken.model 3M  tokenization_kimi.py 13k  tool_declaration_ts.py 15k  tokenizer_config.json 3k \
            chat_template.jinja 4k  model.safetensors.index.json 23M  model-{1-64}-of-000064.safetensors 9300M
            """,
            config: config(
                "KimiK25ForConditionalGeneration", "kimi_k25", nil,
                #","auto_map":{"AutoConfig":"configuration_kimi_k25.KimiK25Config"},"text_config":{"max_position_embeddings":262144,"quantization_config":{"quant_method":"compressed-tensors"}}"#
            ),
            "safetensors compressed-tensors 595200000000: model-00001-of-000064.safetensors … model-00064-of-000064.safetensors (64) + configuration_deepseek.py?, configuration_kimi_k25.py?, kimi_k25_processor.py?, media_utils.py?, modeling_deepseek.py?, modeling_kimi_k25.py?, tokenization_kimi.py?, tool_declaration_ts.py?, model.safetensors.index.json ! remote_code"
        ),
        real(
            "zai-org/GLM-4.6",
            """
            config.json 1k  generation_config.json 1k  chat_template.jinja 4k  tokenizer.json 20M \
            tokenizer_config.json 8k  model.safetensors.index.json 60k  model-{1-92}-of-00092.safetensors 7750M
            """,
            config: config("Glm4MoeForCausalLM", "glm4_moe", 202752),
            "safetensors - 713000000000: model-00001-of-00092.safetensors … model-00092-of-00092.safetensors (92) + model.safetensors.index.json"
        ),
        real(
            "zai-org/GLM-5",
            """
            config.json 1k  generation_config.json 1k  chat_template.jinja 4k  tokenizer.json 20M \
            tokenizer_config.json 1k  model.safetensors.index.json 11M  model-{1-282}-of-00282.safetensors 5360M
            """,
            config: config("GlmMoeDsaForCausalLM", "glm_moe_dsa", 202752),
            "safetensors - 1511520000000: model-00001-of-00282.safetensors … model-00282-of-00282.safetensors (282) + model.safetensors.index.json"
        ),
        real(
            "deepseek-ai/DeepSeek-R1",
            """
            config.json 2k  configuration_deepseek.py 11k  generation_config.json 1k  modeling_deepseek.py 76k \
            tokenizer.json 8M  tokenizer_config.json 4k  model.safetensors.index.json 9M \
            model-{1-163}-of-000163.safetensors 4220M
            """,
            config: config(
                "DeepseekV3ForCausalLM", "deepseek_v3", 163840,
                #","auto_map":{"AutoConfig":"configuration_deepseek.DeepseekV3Config"},"quantization_config":{"quant_method":"fp8"}"#
            ),
            "safetensors fp8 687860000000: model-00001-of-000163.safetensors … model-00163-of-000163.safetensors (163) + configuration_deepseek.py?, modeling_deepseek.py?, model.safetensors.index.json ! remote_code"
        ),
        real(
            "deepseek-ai/DeepSeek-V3.2",
            """
            config.json 2k  generation_config.json 1k  tokenizer.json 8M  tokenizer_config.json 1k \
            encoding/encoding_dsv32.py 30k  inference/model.py 38k  model.safetensors.index.json 9M \
            model-{1-163}-of-000163.safetensors 4230M
            """,
            config: config(
                "DeepseekV32ForCausalLM", "deepseek_v32", 163840,
                #","quantization_config":{"quant_method":"fp8"}"#),
            "safetensors fp8 689490000000: model-00001-of-000163.safetensors … model-00163-of-000163.safetensors (163) + model.safetensors.index.json"
        ),
        real(
            "deepseek-ai/DeepSeek-OCR",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k \
            special_tokens_map.json 1k  model.safetensors.index.json 60k  deepencoder.py 38k \
            modeling_deepseekocr.py 41k  modeling_deepseekv2.py 82k  configuration_deepseek_v2.py 11k \
            conversation.py 9k  processor_config.json 1k  model-00001-of-000001.safetensors 6672M
            """,
            config: config(
                "DeepseekOCRForCausalLM", "DeepseekOCR", 8192,
                #","auto_map":{"AutoModel":"modeling_deepseekocr.DeepseekOCRForCausalLM"}"#),
            contents: [
                "model.safetensors.index.json": .text(
                    #"{"weight_map":{"a":"model-00001-of-000001.safetensors"}}"#)
            ],
            "safetensors - 6672000000: model-00001-of-000001.safetensors + configuration_deepseek_v2.py?, conversation.py?, deepencoder.py?, modeling_deepseekocr.py?, modeling_deepseekv2.py?, model.safetensors.index.json ! remote_code"
        ),
        real(
            "openai/gpt-oss-120b",
            """
            config.json 2k  generation_config.json 1k  chat_template.jinja 17k  tokenizer.json 28M \
            tokenizer_config.json 4k  special_tokens_map.json 1k  model.safetensors.index.json 60k \
            model-{0-14}-of-00014.safetensors 4350M  metal/model.bin 65G  original/config.json 1k \
            original/dtypes.json 13k  original/model--00001-of-00007.safetensors 10G \
            original/model.safetensors.index.json 45k
            """,
            config: config(
                "GptOssForCausalLM", "gpt_oss", 131072,
                #","quantization_config":{"quant_method":"mxfp4"}"#),
            contents: [
                "model.safetensors.index.json": index(
                    (0...14).map { "model-000\($0 < 10 ? "0" : "")\($0)-of-00014.safetensors" })
            ],
            "safetensors mxfp4 65250000000: model-00000-of-00014.safetensors … model-00014-of-00014.safetensors (15) + model.safetensors.index.json, metal/model.bin?"
        ),
        real(
            "mistralai/Mistral-Small-3.2-24B-Instruct-2506",
            """
            SYSTEM_PROMPT.txt 2k  config.json 1k  consolidated.safetensors 48G  generation_config.json 1k \
            model.safetensors.index.json 60k  model-{1-10}-of-00010.safetensors 4800M  params.json 1k  tekken.json 19M
            """,
            config: config(
                "Mistral3ForConditionalGeneration", "mistral3", nil,
                #","text_config":{"max_position_embeddings":131072}"#),
            "safetensors - 48000000000: model-00001-of-00010.safetensors … model-00010-of-00010.safetensors (10) + model.safetensors.index.json"
        ),
        real(
            "mistralai/Mistral-7B-Instruct-v0.3",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k \
            special_tokens_map.json 1k  model.safetensors.index.json 60k  tokenizer.model 600k \
            tokenizer.model.v3 600k  params.json 1k  consolidated.safetensors 14G \
            model-{1-3}-of-00003.safetensors 4833M
            """,
            config: config("MistralForCausalLM", "mistral", 32768),
            "safetensors - 14499000000: model-00001-of-00003.safetensors, model-00002-of-00003.safetensors, model-00003-of-00003.safetensors + model.safetensors.index.json"
        ),
        real(
            "mistralai/Voxtral-Mini-3B-2507",
            """
            config.json 1k  generation_config.json 1k  preprocessor_config.json 1k  params.json 1k  tekken.json 15M \
            consolidated.safetensors 9G  model.safetensors.index.json 60k  model-{1-2}-of-00002.safetensors 4700M
            """,
            config: config(
                "VoxtralForConditionalGeneration", "voxtral", nil,
                #","text_config":{"max_position_embeddings":131072}"#),
            "safetensors - 9400000000: model-00001-of-00002.safetensors, model-00002-of-00002.safetensors + model.safetensors.index.json"
        ),
        real(
            "mistralai/Mistral-Large-3-675B-Instruct-2512",
            """
            SYSTEM_PROMPT.txt 2k  params.json 2k  tekken.json 17M  consolidated.safetensors.index.json 9M \
            consolidated-{1-135}-of-00135.safetensors 5G
            """,
            contents: [
                "params.json": .fixture("params.mistral_native.json")
            ],
            "safetensors - 675000000000: consolidated-00001-of-00135.safetensors … consolidated-00135-of-00135.safetensors (135) + consolidated.safetensors.index.json"
        ),
        real(
            "mistralai/Ministral-8B-Instruct-2410",
            """
            config.json 1k  params.json 1k  tekken.json 15M  consolidated.safetensors 16G  model.safetensors 16G
            """,
            config: config("MistralForCausalLM", "mistral", 32768),
            "safetensors - 16000000000: model.safetensors"),
        real(
            "mistralai/Magistral-native",
            """
            params.json 1k  tekken.json 15M  consolidated.safetensors 47G
            """,
            contents: [
                "params.json": .fixture("params.mistral_native.json")
            ],
            "safetensors - 47000000000: consolidated.safetensors"),
        real(
            "MiniMaxAI/MiniMax-M2",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k  vocab.json 3M \
            merges.txt 2M  model.safetensors.index.json 60k  chat_template.jinja 7k  configuration_minimax_m2.py 8k \
            modeling_minimax_m2.py 31k  model-{1-130}-of-00130.safetensors 1770M
            """,
            config: config(
                "MiniMaxM2ForCausalLM", "minimax_m2", 196608,
                #","auto_map":{"AutoConfig":"configuration_minimax_m2.MiniMaxM2Config"},"quantization_config":{"quant_method":"fp8"}"#
            ),
            "safetensors fp8 230100000000: model-00001-of-00130.safetensors … model-00130-of-00130.safetensors (130) + configuration_minimax_m2.py?, modeling_minimax_m2.py?, model.safetensors.index.json ! remote_code"
        ),
        real(
            "meta-llama/Llama-3.1-8B-Instruct",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k \
            special_tokens_map.json 1k  model.safetensors.index.json 60k  model-{1-4}-of-00004.safetensors 4G \
            original/consolidated.00.pth 16G  original/params.json 1k  original/tokenizer.model 2M
            """,
            config: config("LlamaForCausalLM", "llama", 131072),
            "safetensors - 16000000000: model-00001-of-00004.safetensors … model-00004-of-00004.safetensors (4) + model.safetensors.index.json"
        ),
        real(
            "meta-llama/Llama-4-Scout-17B-16E-Instruct",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k \
            special_tokens_map.json 1k  model.safetensors.index.json 60k  chat_template.jinja 5k \
            chat_template.json 6k  preprocessor_config.json 1k  processor_config.json 1k  tokenizer.model 4M \
            model-{1-50}-of-00050.safetensors 4350M
            """,
            config: config(
                "Llama4ForConditionalGeneration", "llama4", nil,
                #","text_config":{"max_position_embeddings":10485760}"#),
            "safetensors - 217500000000: model-00001-of-00050.safetensors … model-00050-of-00050.safetensors (50) + model.safetensors.index.json"
        ),
        real(
            "microsoft/phi-4",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k  vocab.json 3M \
            merges.txt 2M  model.safetensors.index.json 60k  special_tokens_map.json 1k \
            model-{1-6}-of-00006.safetensors 4890M
            """,
            config: config("Phi3ForCausalLM", "phi3", 16384),
            "safetensors - 29340000000: model-00001-of-00006.safetensors … model-00006-of-00006.safetensors (6) + model.safetensors.index.json"
        ),
        real(
            "microsoft/Phi-4-multimodal-instruct",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k  vocab.json 3M \
            merges.txt 2M  model.safetensors.index.json 60k  configuration_phi4mm.py 11k  modeling_phi4mm.py 116k \
            processing_phi4mm.py 33k  speech_conformer_encoder.py 111k  vision_siglip_navit.py 78k \
            preprocessor_config.json 1k  processor_config.json 1k  model-{1-3}-of-00003.safetensors 3700M \
            speech-lora/adapter_config.json 1k  speech-lora/adapter_model.safetensors 922M \
            vision-lora/adapter_config.json 1k  vision-lora/adapter_model.safetensors 739M
            """,
            config: config(
                "Phi4MMForCausalLM", "phi4mm", 131072,
                #","auto_map":{"AutoConfig":"configuration_phi4mm.Phi4MMConfig"}"#),
            "safetensors - 11100000000: model-00001-of-00003.safetensors, model-00002-of-00003.safetensors, model-00003-of-00003.safetensors + configuration_phi4mm.py?, modeling_phi4mm.py?, processing_phi4mm.py?, speech_conformer_encoder.py?, vision_siglip_navit.py?, model.safetensors.index.json ! remote_code"
        ),
        real(
            "ibm-granite/granite-4.0-h-tiny",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k  vocab.json 3M \
            merges.txt 2M  model.safetensors.index.json 60k  special_tokens_map.json 1k  chat_template.jinja 6k \
            model-{1-3}-of-00003.safetensors 4600M
            """,
            config: config("GraniteMoeHybridForCausalLM", "granitemoehybrid", 131072),
            "safetensors - 13800000000: model-00001-of-00003.safetensors, model-00002-of-00003.safetensors, model-00003-of-00003.safetensors + model.safetensors.index.json"
        ),
        real(
            "nvidia/NVIDIA-Nemotron-Nano-9B-v2",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k \
            special_tokens_map.json 1k  model.safetensors.index.json 60k  configuration_nemotron_h.py 12k \
            modeling_nemotron_h.py 78k  nemotron_toolcall_parser_no_streaming.py 5k \
            model-{1-4}-of-00004.safetensors 4450M
            """,
            config: config(
                "NemotronHForCausalLM", "nemotron_h", 131072,
                #","auto_map":{"AutoConfig":"configuration_nemotron_h.NemotronHConfig"}"#),
            "safetensors - 17800000000: model-00001-of-00004.safetensors … model-00004-of-00004.safetensors (4) + configuration_nemotron_h.py?, modeling_nemotron_h.py?, nemotron_toolcall_parser_no_streaming.py?, model.safetensors.index.json ! remote_code"
        ),
        real(
            "nvidia/Llama-3_3-Nemotron-Super-49B-v1_5",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k \
            special_tokens_map.json 1k  model.safetensors.index.json 60k  block_config.py 3k \
            configuration_decilm.py 3k  modeling_decilm.py 70k  transformers_4_44_2__configuration_llama.py 10k \
            model-{1-21}-of-00021.safetensors 4740M
            """,
            config: config(
                "DeciLMForCausalLM", "nemotron-nas", 131072,
                #","auto_map":{"AutoConfig":"configuration_decilm.DeciLMConfig"}"#),
            "safetensors - 99540000000: model-00001-of-00021.safetensors … model-00021-of-00021.safetensors (21) + block_config.py?, configuration_decilm.py?, modeling_decilm.py?, transformers_4_44_2__configuration_llama.py?, model.safetensors.index.json ! remote_code"
        ),
        real(
            "HuggingFaceTB/SmolLM3-3B",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k \
            special_tokens_map.json 1k  model.safetensors.index.json 60k  chat_template.jinja 6k \
            model-{1-2}-of-00002.safetensors 3080M
            """,
            config: config("SmolLM3ForCausalLM", "smollm3", 65536),
            "safetensors - 6160000000: model-00001-of-00002.safetensors, model-00002-of-00002.safetensors + model.safetensors.index.json"
        ),
        real(
            "ByteDance-Seed/Seed-OSS-36B-Instruct",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k \
            special_tokens_map.json 1k  model.safetensors.index.json 60k  chat_template.jinja 8k \
            model-{1-15}-of-00015.safetensors 4820M
            """,
            config: config("SeedOssForCausalLM", "seed_oss", 524288),
            "safetensors - 72300000000: model-00001-of-00015.safetensors … model-00015-of-00015.safetensors (15) + model.safetensors.index.json"
        ),
        real(
            "sentence-transformers/all-MiniLM-L6-v2",
            """
            config.json 1k  config_sentence_transformers.json 1k  data_config.json 39k  model.safetensors 91M \
            modules.json 1k  onnx/model.onnx 90M  openvino/openvino_model.bin 90M  pytorch_model.bin 91M \
            rust_model.ot 91M  sentence_bert_config.json 1k  special_tokens_map.json 1k  tf_model.h5 91M \
            tokenizer.json 466k  tokenizer_config.json 1k  train_script.py 13k  vocab.txt 232k \
            1_Pooling/config.json 1k
            """,
            config: config("BertModel", "bert", 512),
            contents: [
                "modules.json": modules("", "1_Pooling", "2_Normalize")
            ],
            "safetensors - 91000000: model.safetensors"),
        real(
            "sentence-transformers/LaBSE",
            """
            config.json 1k  config_sentence_transformers.json 1k  model.safetensors 1884M  modules.json 1k \
            pytorch_model.bin 1884M  sentence_bert_config.json 1k  special_tokens_map.json 1k  tokenizer.json 10M \
            tokenizer_config.json 1k  vocab.txt 5M  1_Pooling/config.json 1k  2_Dense/config.json 1k \
            2_Dense/model.safetensors 2M  2_Dense/pytorch_model.bin 2M
            """,
            config: config("BertModel", "bert", 512),
            contents: [
                "modules.json": modules("", "1_Pooling", "2_Dense", "3_Normalize")
            ],
            "safetensors - 1884000000: model.safetensors + 2_Dense/model.safetensors"),
        real(
            "google/embeddinggemma-300m",
            """
            config.json 2k  config_sentence_transformers.json 1k  generation_config.json 1k  model.safetensors 1211M \
            modules.json 1k  sentence_bert_config.json 1k  tokenizer.json 33M  tokenizer.model 5M \
            tokenizer_config.json 1155k  1_Pooling/config.json 1k  2_Dense/config.json 1k \
            2_Dense/model.safetensors 9M  3_Dense/config.json 1k  3_Dense/model.safetensors 9M
            """,
            config: config(
                "Gemma3ForConditionalGeneration", "gemma3", nil,
                #","text_config":{"hidden_size":5376}"#),
            contents: [
                "modules.json": modules("", "1_Pooling", "2_Dense", "3_Dense", "4_Normalize")
            ],
            "safetensors - 1211000000: model.safetensors + 2_Dense/model.safetensors, 3_Dense/model.safetensors"),
        real(
            "Qwen/Qwen3-Embedding-8B",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k  vocab.json 3M \
            merges.txt 2M  model.safetensors.index.json 60k  config_sentence_transformers.json 1k  modules.json 1k \
            1_Pooling/config.json 1k  model-{1-4}-of-00004.safetensors 3780M
            """,
            config: config("Qwen3ForCausalLM", "qwen3", 40960),
            contents: [
                "modules.json": modules("", "1_Pooling", "2_Normalize")
            ],
            "safetensors - 15120000000: model-00001-of-00004.safetensors … model-00004-of-00004.safetensors (4) + model.safetensors.index.json"
        ),
        real(
            "Qwen/Qwen3-Reranker-0.6B",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k  vocab.json 3M \
            merges.txt 2M  model.safetensors 1192M
            """,
            config: config("Qwen3ForCausalLM", "qwen3", 40960),
            "safetensors - 1192000000: model.safetensors"),
        real(
            "BAAI/bge-m3",
            """
            config.json 1k  config_sentence_transformers.json 1k  modules.json 1k  colbert_linear.pt 2M \
            sparse_linear.pt 4k  pytorch_model.bin 2271M  sentencepiece.bpe.model 5M  tokenizer.json 17M \
            tokenizer_config.json 1k  onnx/model.onnx 1M  1_Pooling/config.json 1k
            """,
            config: config("BertModel", "bert", 512),
            "400 no_artifact"),
        real(
            "BAAI/bge-reranker-v2-m3",
            """
            config.json 1k  model.safetensors 2271M  sentencepiece.bpe.model 5M  special_tokens_map.json 1k \
            tokenizer.json 17M  tokenizer_config.json 1k
            """,
            config: config("BertModel", "bert", 512),
            "safetensors - 2271000000: model.safetensors"),
        real(
            "intfloat/multilingual-e5-large",
            """
            config.json 1k  model.safetensors 2240M  modules.json 1k  sentence_bert_config.json 1k \
            sentencepiece.bpe.model 5M  1_Pooling/config.json 1k  onnx/model.onnx 1M
            """,
            config: config("BertModel", "bert", 512),
            contents: [
                "modules.json": modules("", "1_Pooling", "2_Normalize")
            ],
            "safetensors - 2240000000: model.safetensors"),
        real(
            "nomic-ai/nomic-embed-text-v1.5",
            """
            config.json 2k  config_sentence_transformers.json 1k  model.safetensors 547M  modules.json 1k \
            onnx/model.onnx 547M  sentence_bert_config.json 1k  tokenizer.json 711k  tokenizer_config.json 1k \
            vocab.txt 232k  1_Pooling/config.json 1k
            """,
            config: config(
                "NomicBertModel", "nomic_bert", nil,
                #","auto_map":{"AutoModel":"nomic-ai/nomic-bert-2048--modeling_hf_nomic_bert.NomicBertModel"},"n_positions":8192"#
            ),
            contents: [
                "modules.json": modules("", "1_Pooling", "2_Normalize")
            ],
            "safetensors - 547000000: model.safetensors ! remote_code"),
        real(
            "jinaai/jina-embeddings-v3",
            """
            config.json 2k  config_sentence_transformers.json 1k  custom_st.py 9k  model.safetensors 1145M \
            modules.json 1k  onnx/model.onnx 2M  tokenizer.json 17M  tokenizer_config.json 1k \
            1_Pooling/config.json 1k
            """,
            config: config(
                "XLMRobertaModel", "xlm-roberta", 8194,
                #","auto_map":{"AutoModel":"jinaai/xlm-roberta-flash-implementation--modeling_lora.XLMRobertaLoRA"}"#),
            contents: [
                "modules.json": modules("", "1_Pooling", "2_Normalize")
            ],
            "safetensors - 1145000000: model.safetensors + custom_st.py? ! remote_code"),
        real(
            "cross-encoder/ms-marco-MiniLM-L6-v2",
            """
            config.json 1k  model.safetensors 91M  flax_model.msgpack 91M  pytorch_model.bin 91M  vocab.txt 232k \
            tokenizer_config.json 1k
            """,
            config: config("BertModel", "bert", 512),
            "safetensors - 91000000: model.safetensors"),
        real(
            "openai/whisper-large-v3",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k  vocab.json 3M \
            merges.txt 2M  added_tokens.json 35k  normalizer.json 53k  preprocessor_config.json 1k \
            special_tokens_map.json 2k  flax_model.msgpack 6G  model.fp32-{1-2}-of-00002.safetensors 3G \
            model.safetensors 3087M  model.safetensors.index.fp32.json 117k  pytorch_model.bin 3087M
            """,
            config: config(
                "WhisperForConditionalGeneration", "whisper", nil,
                #","max_source_positions":1500"#),
            "safetensors - 3087000000: model.safetensors"),
        real(
            "openai/whisper-large-v3-turbo",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k  vocab.json 3M \
            merges.txt 2M  added_tokens.json 35k  normalizer.json 53k  preprocessor_config.json 1k \
            model.safetensors 1618M
            """,
            config: config(
                "WhisperForConditionalGeneration", "whisper", nil,
                #","max_source_positions":1500"#),
            "safetensors - 1618000000: model.safetensors"),
        real(
            "Systran/faster-whisper-large-v3",
            """
            config.json 2k  model.bin 3087M  preprocessor_config.json 1k  tokenizer.json 2M  vocabulary.json 1M
            """,
            config: config(
                "WhisperForConditionalGeneration", "whisper", nil,
                #","max_source_positions":1500"#),
            "400 no_artifact"),
        real(
            "hexgrad/Kokoro-82M",
            """
            config.json 2k  kokoro-v1_0.pth 327M  voices/af_heart.pt 523k
            """,
            config: config("BertModel", "bert", 512),
            "400 no_artifact"),
        real(
            "canopylabs/orpheus-3b-0.1-ft",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k \
            special_tokens_map.json 1k  model.safetensors.index.json 60k  model-{1-2}-of-00002.safetensors 3300M \
            optimizer.bin 13G
            """,
            config: config("LlamaForCausalLM", "llama", 131072),
            "safetensors - 6600000000: model-00001-of-00002.safetensors, model-00002-of-00002.safetensors + model.safetensors.index.json"
        ),
        real(
            "OpenGVLab/InternVL3-8B",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k  vocab.json 3M \
            merges.txt 2M  model.safetensors.index.json 60k  configuration_intern_vit.py 5k \
            configuration_internvl_chat.py 4k  conversation.py 15k  modeling_intern_vit.py 18k \
            modeling_internvl_chat.py 16k  preprocessor_config.json 1k  model-{1-4}-of-00004.safetensors 3970M
            """,
            config: config(
                "InternVLChatModel", "internvl_chat", nil,
                #","auto_map":{"AutoConfig":"configuration_internvl_chat.InternVLChatConfig"},"llm_config":{"max_position_embeddings":32768}"#
            ),
            "safetensors - 15880000000: model-00001-of-00004.safetensors … model-00004-of-00004.safetensors (4) + configuration_intern_vit.py?, configuration_internvl_chat.py?, conversation.py?, modeling_intern_vit.py?, modeling_internvl_chat.py?, model.safetensors.index.json ! remote_code"
        ),
        real(
            "facebook/dinov2-base",
            """
            config.json 1k  preprocessor_config.json 1k  model.safetensors 346M  pytorch_model.bin 346M
            """,
            config: config("Dinov2Model", "dinov2"),
            "safetensors - 346000000: model.safetensors ! no_tokenizer"),
        real(
            "google/flan-t5-base",
            """
            config.json 1k  generation_config.json 1k  model.safetensors 990M  pytorch_model.bin 990M \
            spiece.model 792k  tokenizer_config.json 3k  special_tokens_map.json 2k
            """,
            config: config("T5ForConditionalGeneration", "t5"),
            "safetensors - 990000000: model.safetensors"),
        real(
            "Helsinki-NLP/opus-mt-zh-en",
            """
            config.json 1k  generation_config.json 1k  model.safetensors 312M  source.spm 804k  target.spm 806k \
            tokenizer_config.json 1k  vocab.json 2M
            """,
            config: config("T5ForConditionalGeneration", "t5"),
            "safetensors - 312000000: model.safetensors"),
        real(
            "Qwen/Qwen-7B-Chat",
            """
            config.json 1k  configuration_qwen.py 2k  generation_config.json 1k  modeling_qwen.py 56k \
            qwen.tiktoken 3M  qwen_generation_utils.py 15k  tokenization_qwen.py 10k  tokenizer_config.json 1k \
            model.safetensors.index.json 60k  model-{1-8}-of-00008.safetensors 1930M
            """,
            config: config(
                "QWenLMHeadModel", "qwen", nil,
                #","auto_map":{"AutoConfig":"configuration_qwen.QWenConfig"},"seq_length":8192"#),
            "safetensors - 15440000000: model-00001-of-00008.safetensors … model-00008-of-00008.safetensors (8) + configuration_qwen.py?, modeling_qwen.py?, qwen_generation_utils.py?, tokenization_qwen.py?, model.safetensors.index.json ! remote_code"
        ),
        real(
            "mlx-community/Qwen3-8B-4bit",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k  vocab.json 3M \
            merges.txt 2M  model.safetensors.index.json 60k  model.safetensors 4608M
            """,
            config: config("Qwen3ForCausalLM", "qwen3", 40960),
            contents: [
                "model.safetensors.index.json": .text(
                    #"{"weight_map":{"a":"model.safetensors"}}"#)
            ],
            "safetensors - 4608000000: model.safetensors + model.safetensors.index.json"),
        real(
            "RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k \
            special_tokens_map.json 1k  model.safetensors.index.json 60k  recipe.yaml 1k \
            model-{1-15}-of-00015.safetensors 4800M
            """,
            config: config(
                "LlamaForCausalLM", "llama", 131072,
                #","quantization_config":{"quant_method":"compressed-tensors"}"#),
            "safetensors compressed-tensors 72000000000: model-00001-of-00015.safetensors … model-00015-of-00015.safetensors (15) + model.safetensors.index.json"
        ),
        real(
            "Jellon/Mistral-Small-24B-Instruct-2501-exl2-6bpw",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k \
            special_tokens_map.json 1k  model.safetensors.index.json 60k  measurement.json 2M  params.json 1k \
            tekken.json 15M  output-{1-3}-of-00003.safetensors 6G
            """,
            config: config("MistralForCausalLM", "mistral", 32768),
            contents: [
                "model.safetensors.index.json": .text(
                    #"{"weight_map":{"a":"model-00001-of-00010.safetensors","b":"model-00010-of-00010.safetensors"}}"#)
            ],
            "safetensors - 18000000000: output-00001-of-00003.safetensors, output-00002-of-00003.safetensors, output-00003-of-00003.safetensors ! index_ignored"
        ),
        real(
            "tech/quantized-one-file",
            """
            config.json 1k  generation_config.json 1k  tokenizer.json 11M  tokenizer_config.json 10k \
            special_tokens_map.json 1k  model.safetensors.index.json 60k  model.safetensors 3G
            """,
            config: config(
                "Qwen3ForCausalLM", "qwen3", 40960,
                #","quantization_config":{"quant_method":"awq","bits":4}"#),
            contents: [
                "model.safetensors.index.json": .text(
                    #"{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}"#)
            ],
            "safetensors awq 3000000000: model.safetensors ! index_ignored"),
        real(
            "someone/qwen3-8b-lora",
            """
            adapter_config.json 1k  adapter_model.safetensors 160M  README.md 5k  tokenizer.json 11M \
            tokenizer_config.json 10k
            """,
            config: config("Qwen3ForCausalLM", "qwen3", 40960),
            contents: [
                "adapter_config.json": .text(
                    #"{"base_model_name_or_path":"Qwen/Qwen3-8B","peft_type":"LORA"}"#)
            ],
            "400 unsupported_artifact"),
        real(
            "someone/qwen3-8b-lora-with-config",
            """
            adapter_config.json 1k  adapter_model.safetensors 160M  config.json 1k  generation_config.json 1k \
            tokenizer.json 11M  tokenizer_config.json 10k  vocab.json 3M  merges.txt 2M \
            checkpoint-500/adapter_model.safetensors 160M  checkpoint-500/optimizer.pt 320M
            """,
            config: config("Qwen3ForCausalLM", "qwen3", 40960),
            contents: [
                "adapter_config.json": .text(
                    #"{"base_model_name_or_path":"Qwen/Qwen3-8B"}"#)
            ],
            "400 unsupported_artifact"),
        real(
            "someone/qwen3-8b-lora-merged",
            """
            adapter_config.json 1k  adapter_model.safetensors 160M  config.json 1k  generation_config.json 1k \
            tokenizer.json 11M  tokenizer_config.json 10k  vocab.json 3M  merges.txt 2M  model.safetensors 16G
            """,
            config: config("Qwen3ForCausalLM", "qwen3", 40960),
            "safetensors - 16000000000: model.safetensors"),
        real(
            "someone/llama-lora-bin",
            """
            adapter_config.json 1k  adapter_model.bin 160M
            """,
            config: config("LlamaForCausalLM", "llama", 131072),
            contents: [
                "adapter_config.json": .text(
                    #"{"base_model_name_or_path":"meta-llama/Llama-3.1-8B"}"#)
            ],
            "400 unsupported_artifact"),
        real(
            "black-forest-labs/FLUX.2-dev-diffusers",
            """
            model_index.json 1k  text_encoder/config.json 1k  text_encoder/model.safetensors 1G \
            transformer/config.json 1k  transformer/diffusion_pytorch_model.safetensors.index.json 100k \
            transformer/diffusion_pytorch_model-{1-3}-of-00003.safetensors 10G  vae/config.json 1k \
            vae/diffusion_pytorch_model.safetensors 300M
            """,
            config: config("Qwen3ForCausalLM", "qwen3", 40960),
            "400 unsupported_artifact"),
    ]
}
