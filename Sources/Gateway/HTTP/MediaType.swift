/// What a `Content-Type` header says.
enum MediaType {
    /// `application/json`, in any case, with any parameters.
    static func isJSON(_ contentType: String?) -> Bool { isEssence("application/json", of: contentType) }

    /// `multipart/form-data`, in any case, with any parameters.
    static func isForm(_ contentType: String?) -> Bool { isEssence("multipart/form-data", of: contentType) }

    /// Asked of each request that has a body, so without a copy.
    private static func isEssence(_ essence: String, of contentType: String?) -> Bool {
        guard let contentType else { return false }
        return contentType.utf8.lazy.prefix { $0 != UInt8(ascii: ";") }
            .filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
            .map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
            .elementsEqual(essence.utf8)
    }
}
