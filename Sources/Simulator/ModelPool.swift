/// The models that simulated endpoints draw theirs from, so that several endpoints have some in common.
struct ModelPool: Sendable {
    /// How many different models there are for each style of naming.
    let size: Int

    private static let families = [
        ("meta-llama", "Llama-3.1", "llama3.1"), ("Qwen", "Qwen3", "qwen3"), ("google", "gemma-3", "gemma3"),
        ("mistralai", "Mistral-Small", "mistral-small"), ("deepseek-ai", "DeepSeek-R1-Distill", "deepseek-r1"),
        ("microsoft", "Phi-4", "phi4"), ("ibm-granite", "granite-3.3", "granite3.3"),
        ("allenai", "OLMo-2", "olmo2"),
    ]
    private static let sizes = [("1B", 1), ("4B", 4), ("8B", 8), ("14B", 14), ("32B", 32), ("70B", 70)]
    private static let contextLengths = [4096, 8192, 32768, 131_072]
    private static let quantizations = ["Q4_K_M", "Q8_0", "Q5_K_M", "F16"]

    /// The model of a number below `size`, named as a server of this kind names models.
    func model(_ number: Int, kind: ServerKind) -> SimulatedModel {
        let family = Self.families[number % Self.families.count]
        let size = Self.sizes[number / Self.families.count % Self.sizes.count]
        let generation = number / (Self.families.count * Self.sizes.count)
        let suffix = generation == 0 ? "" : "-v\(generation + 1)"
        let quantization = Self.quantizations[number % Self.quantizations.count]
        let id =
            switch kind {
            case .vllm, .openai: "\(family.0)/\(family.1)-\(size.0)-Instruct\(suffix)"
            case .llamacpp: "\(family.1)-\(size.0)-Instruct\(suffix)-\(quantization).gguf"
            case .ollama: "\(family.2)\(suffix):\(size.0.lowercased())"
            case .lmstudio: "\(family.1.lowercased())-\(size.0.lowercased())-instruct\(suffix)"
            }
        return SimulatedModel(
            id: id, contextLength: Self.contextLengths[number % 4], parameters: size.1 * 1_000_000_000,
            quantization: quantization, isLoaded: number % 3 == 0)
    }

    /// `count` different models.
    func draw(_ count: Int, kind: ServerKind, using generator: inout SeededGenerator) -> [SimulatedModel] {
        var numbers: Set<Int> = []
        while numbers.count < min(count, size) { numbers.insert(Int.random(in: 0..<size, using: &generator)) }
        return numbers.sorted().map { model($0, kind: kind) }
    }
}
