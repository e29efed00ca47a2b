import Testing

@testable import Registrar

@Suite struct QuantizationNameTests {
    @Test(arguments: [
        ("Qwen2.5-1.5B-Instruct-Q4_K_M", "Q4_K_M"), ("llama-2-7b.Q5_K_S", "Q5_K_S"), ("model-q8_0", "Q8_0"),
        ("model_q4_k_m", "Q4_K_M"), ("a-IQ4_XS", "IQ4_XS"), ("a-IQ2_XXS", "IQ2_XXS"), ("a-i1-IQ1_S", "IQ1_S"),
        ("a-UD-Q4_K_XL", "UD-Q4_K_XL"), ("UD-IQ2_M/Inkling-Small-UD-IQ2_M", "UD-IQ2_M"), ("a.BF16", "BF16"),
        ("a-f16", "F16"), ("a-fp16", "F16"), ("a-FP32", "F32"), ("gpt-oss-20b-mxfp4", "MXFP4"),
        ("a-MXFP4_MOE", "MXFP4_MOE"), ("a-TQ1_0", "TQ1_0"), ("a-Q6_K_L", "Q6_K_L"), ("a-Q4_0_4_4", "Q4_0_4_4"),
        ("a-Q8", "Q8"), ("a-Q4_K_M-imat", "Q4_K_M"), ("a-f16-Q4_K_M", "Q4_K_M"), ("Q4_K_M/a", "Q4_K_M"),
        ("x/Q4_K_M/a", "Q4_K_M"), ("Q4_K_M/a-Q8_0", "Q8_0"), ("Q2_K", "Q2_K"),
        ("a-Q4_0_v2", "Q4_0"), ("a-Q8_0_MTP", "Q8_0"), ("a-Q4_K_M_32k", "Q4_K_M"), ("a-MXFP6", "MXFP6"),
        ("a-i2_s", "I2_S"),
        ("a-TL1", "TL1"), ("a-Q8_K_XL", "Q8_K_XL"), ("a-IQ4_KSS", "IQ4_KSS"), ("a-Q4_K_R4", "Q4_K_R4"),
    ])
    func reads(_ path: String, _ name: String) { #expect(QuantizationName(path: path)?.text == name) }

    @Test(arguments: [
        "model", "", "a/b", "tinyllama-1.1b", "Qwen3-Q", "a-Q9_K", "a-Q1", "aQ4_K_M", "a-Q4Kx", "BF160", "my-Q4_K_M/a",
        "-", "._-", "a-IQ", "a-UD",
    ])
    func doesNotRead(_ path: String) { #expect(QuantizationName(path: path)?.text == nil) }

    /// The order of the rules.
    @Test func ranks() {
        let order = [
            "Q4_K_M", "Q4_K_S", "Q4_0", "Q4_1", "IQ4_XS", "MXFP4", "Q5_K_M", "Q5_K_S", "Q5_0", "Q6_K", "Q8_0", "Q3_K_M",
            "IQ2_M", "TQ1_0", "BF16", "F16", "F32",
            "Q4_0_4_4",
        ]
        let ranks = order.map { QuantizationName(request: $0).rank }
        #expect(ranks == ranks.sorted() && Set(ranks).count == order.count)
        #expect(ranks.allSatisfy { $0 < QuantizationName.unknownRank })
        #expect(QuantizationName(request: "UD-Q5_K_S").rank == QuantizationName(request: "q5_k_s").rank)
    }
}
