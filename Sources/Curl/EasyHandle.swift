internal import CCurl

/// libcurl's handle of one transfer at a time, used again for the next. Not Sendable: it stays on the loop's thread.
///
/// Most of some thirty options are the same for each request of a client. They are set once, and stay if the transfer changed
/// none of them.
final class EasyHandle {
    let pointer: UnsafeMutableRawPointer
    /// The one that it is used for, which libcurl's callbacks find through it.
    var transfer: ActiveTransfer?
    /// The constant options are set.
    var isPrepared = false
    /// For CURLOPT_ERRORBUFFER.
    let errorText: UnsafeMutablePointer<CChar>

    /// Nil when libcurl is out of memory.
    init?() {
        guard let pointer = curl_easy_init() else { return nil }
        self.pointer = pointer
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_easy_cleanup(pointer)
        errorText.deallocate()
    }

    /// The transfer is over. Nothing of it, credentials least of all, is left to the next. Connections and caches belong to
    /// the multi handle and stay.
    ///
    /// - Parameter keepsOptions: it has changed none of the constant options
    func release(keepsOptions: Bool) {
        transfer = nil
        errorText[0] = 0
        if keepsOptions, rollcall_easy_set_list(pointer, CURLOPT_HTTPHEADER, nil) == CURLE_OK { return }
        curl_easy_reset(pointer)
        isPrepared = false
    }

    func set(_ option: CURLoption, _ value: Int) throws(HTTPError) {
        try check(rollcall_easy_set_long(pointer, option, value))
    }

    func set(_ option: CURLoption, _ value: Bool) throws(HTTPError) {
        try set(option, value ? 1 : 0)
    }

    func set(_ option: CURLoption, _ value: String) throws(HTTPError) {
        try check(rollcall_easy_set_string(pointer, option, value))
    }

    func set(_ option: CURLoption, offset value: Int) throws(HTTPError) {
        try check(rollcall_easy_set_offset(pointer, option, curl_off_t(value)))
    }

    /// The pointer has to outlive the transfer, except for options that copy what it points to.
    func set(_ option: CURLoption, pointer value: UnsafeRawPointer?) throws(HTTPError) {
        try check(rollcall_easy_set_pointer(pointer, option, value))
    }

    func set(_ option: CURLoption, list: UnsafeMutablePointer<curl_slist>?) throws(HTTPError) {
        try check(rollcall_easy_set_list(pointer, option, list))
    }

    func set(_ option: CURLoption, function: @escaping curl_write_callback) throws(HTTPError) {
        try check(rollcall_easy_set_data_function(pointer, option, function))
    }

    func setPrerequestFunction(_ function: @escaping curl_prereq_callback) throws(HTTPError) {
        try check(rollcall_easy_set_prerequest_function(pointer, function))
    }

    func setSeekFunction(_ function: @escaping curl_seek_callback) throws(HTTPError) {
        try check(rollcall_easy_set_seek_function(pointer, function))
    }

    func long(_ info: CURLINFO) -> Int {
        var value = 0
        return rollcall_easy_get_long(pointer, info, &value) == CURLE_OK ? value : 0
    }

    /// Nil when libcurl does not know.
    func offset(_ info: CURLINFO) -> Int? {
        var value: curl_off_t = -1
        guard rollcall_easy_get_offset(pointer, info, &value) == CURLE_OK, value >= 0 else { return nil }
        return Int(value)
    }

    func string(_ info: CURLINFO) -> String? {
        var value: UnsafePointer<CChar>?
        guard rollcall_easy_get_string(pointer, info, &value) == CURLE_OK, let value else { return nil }
        return String(cString: value)
    }

    private func check(_ code: CURLcode) throws(HTTPError) {
        guard code != CURLE_OK else { return }
        throw HTTPError(.other, "setting an option: \(String(cString: curl_easy_strerror(code)))")
    }
}

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
