internal import CCurl

/// libcurl's list of request headers. It must outlive the transfer: the transfer owns it.
struct HeaderList: ~Copyable {
    private(set) var first: UnsafeMutablePointer<curl_slist>?

    init() { first = nil }

    deinit { curl_slist_free_all(first) }

    mutating func append(name: String, value: String) throws(HTTPError) {
        // `Name;` is libcurl's spelling of a header with an empty value; `Name:` would take the header away.
        try append(line: value.allSatisfy { $0 == " " || $0 == "\t" } ? "\(name);" : "\(name): \(value)")
    }

    /// Keeps libcurl from sending a header of its own accord.
    mutating func suppress(name: String) throws(HTTPError) {
        try append(line: "\(name):")
    }

    private mutating func append(line: String) throws(HTTPError) {
        guard let longer = curl_slist_append(first, line) else { throw HTTPError(.other, "out of memory") }
        first = longer
    }
}
