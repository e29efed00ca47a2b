/// Numbers of parameters as Ollama and LM Studio write them: `7.6B`, `137M`, `26B-A4B` (26 billion, 4 of them active).
enum ParameterSize {
    /// A thousand times the largest model known.
    static let maximum: Int64 = 1_000_000_000_000_000

    /// Exact: decimal digits are shifted, no floating point is involved. nil for what is not in this form.
    static func count(_ text: String) -> Int64? {
        var total = Substring(text)
        if let dash = total.firstIndex(of: "-") {
            guard total[total.index(after: dash)...].first == "A" else { return nil }
            total = total[..<dash]
        }
        let exponent: Int
        switch total.last {
        case "K", "k": exponent = 3
        case "M", "m": exponent = 6
        case "B", "b": exponent = 9
        case "T", "t": exponent = 12
        default: return nil
        }
        let parts = total.dropLast().split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = parts.first, !whole.isEmpty else { return nil }
        let fraction = parts.count == 2 ? parts[1] : ""
        guard fraction.count <= exponent, parts.count == 1 || !fraction.isEmpty,
            (whole + fraction).utf8.allSatisfy({ $0 &- 0x30 < 10 })
        else { return nil }
        let digits = String(whole) + fraction + String(repeating: "0", count: exponent - fraction.count)
        guard let count = Int64(digits), count > 0, count <= maximum else { return nil }
        return count
    }
}
