/// What a `Content-Type` header says.
enum MediaType {
    /// `application/json`, in any case, with any parameters.
    static func isJSON(_ contentType: String?) -> Bool { essence(contentType) == "application/json" }

    /// `multipart/form-data`, in any case, with any parameters.
    static func isForm(_ contentType: String?) -> Bool { essence(contentType) == "multipart/form-data" }

    private static func essence(_ contentType: String?) -> String? {
        contentType?.split(separator: ";", omittingEmptySubsequences: false).first.map {
            $0.lowercased().filter { $0 != " " && $0 != "\t" }
        }
    }
}
