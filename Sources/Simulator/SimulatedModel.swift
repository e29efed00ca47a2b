/// A model that a simulated endpoint lists. In JSON a plain string stands for a model of which only the id is known.
struct SimulatedModel: Sendable, Hashable, Codable {
    var id: String
    /// In tokens.
    var contextLength: Int?
    var parameters: Int?
    /// `Q4_K_M`, …
    var quantization: String?
    /// Whether it is in memory, where the kind of server says so.
    var isLoaded: Bool?

    init(
        id: String, contextLength: Int? = nil, parameters: Int? = nil, quantization: String? = nil,
        isLoaded: Bool? = nil
    ) {
        self.id = id
        self.contextLength = contextLength
        self.parameters = parameters
        self.quantization = quantization
        self.isLoaded = isLoaded
    }

    enum CodingKeys: String, CodingKey {
        case id, parameters, quantization
        case contextLength = "context_length"
        case isLoaded = "loaded"
    }

    init(from decoder: any Decoder) throws {
        if let id = try? decoder.singleValueContainer().decode(String.self) {
            self.init(id: id)
            return
        }
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            id: try fields.decode(String.self, forKey: .id),
            contextLength: try fields.decodeIfPresent(Int.self, forKey: .contextLength),
            parameters: try fields.decodeIfPresent(Int.self, forKey: .parameters),
            quantization: try fields.decodeIfPresent(String.self, forKey: .quantization),
            isLoaded: try fields.decodeIfPresent(Bool.self, forKey: .isLoaded))
    }
}
