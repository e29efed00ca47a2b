/// The last part of a model's id, by which people know it: `Qwen3-8B` of `Qwen/Qwen3-8B`. Compared with ASCII letters in
/// any case.
enum ModelName {
    /// Below 0 if `left` stands before `right`: by name, and of one name by id.
    static func compare(_ left: ModelID, _ right: ModelID) -> Int {
        let order = withBytes(of: left.value) { left in withBytes(of: right.value) { compare(left, $0) } }
        return order == 0 ? (left < right ? -1 : right < left ? 1 : 0) : order
    }

    /// Below 0 if the model's name stands before `name`, which is in lower case.
    static func compare(_ id: ModelID, with name: [UInt8]) -> Int {
        withBytes(of: id.value) { bytes in name.withUnsafeBufferPointer { compare(bytes, $0) } }
    }

    /// In lower case, at most `limit` bytes.
    static func folded(_ id: String, atMost limit: Int) -> [UInt8] {
        withBytes(of: id) { $0.prefix(limit).map(ASCIIFolding.lowercased) }
    }

    private static func withBytes<Result>(of id: String, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        var id = id
        return id.withUTF8 { bytes in
            let start = bytes.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
            return body(UnsafeBufferPointer(rebasing: bytes[start...]))
        }
    }

    private static func compare(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Int {
        for place in 0..<min(left.count, right.count) {
            let order = Int(ASCIIFolding.lowercased(left[place])) - Int(ASCIIFolding.lowercased(right[place]))
            if order != 0 { return order }
        }
        return left.count - right.count
    }
}
