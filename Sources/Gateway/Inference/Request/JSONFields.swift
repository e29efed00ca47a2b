import Catalog
import JSON

/// The values of a JSON body that routing has to know. Nothing is decoded but these few.
struct JSONFields {
    var model: String?
    /// With its quotes.
    var modelPlace = 0..<0
    var streams = false
    var cacheKey: StickyKey?
    var user: StickyKey?
    /// nil if the body does not say. True if one of two says so.
    var stores: Bool?
    var isBackground = false
    var previousResponseID: String?

    private enum ModelValue { case missing, misspelled, null, notText, text }
    private var modelValue = ModelValue.missing

    /// The longest key, as sent. Longer ones are refused unread, so that none costs its decoding.
    static let maximumKeyBytes = 1 << 10
    /// The longest text of `previous_response_id`.
    static let maximumIDBytes = 256

    /// Throws 400 for what is no JSON object, for one without a usable `model`, and for one with two keys that a parser
    /// can take for it. `firstByte` is the offset of `buffer` in what the client sent.
    init(_ buffer: UnsafeRawBufferPointer, firstByte: Int = 0) throws(HTTPFailure) {
        var scanner = JSONKeyScanner(buffer)
        while true {
            let member: JSONKeyScanner.Member?
            do {
                member = try scanner.next()
            } catch {
                throw Self.invalid(buffer, at: firstByte + error.offset)
            }
            guard let member else { break }
            let name = try Self.name(
                UnsafeRawBufferPointer(rebasing: buffer[member.key]), at: firstByte + member.key.lowerBound)
            try take(name, UnsafeRawBufferPointer(rebasing: buffer[member.value]), at: member.value)
        }
        switch modelValue {
        case .missing, .null: throw ModelField.required
        case .misspelled: throw ModelField.misspelled
        case .notText: throw ModelField.notText
        case .text: break
        }
    }

    /// The keys that mean something here.
    private enum Name {
        case model, stream, promptCacheKey, user, store, background, previousResponseID
        /// Some parser takes it for `model`.
        case misspelledModel
        case other

        /// `key` is unescaped.
        init(_ key: UnsafeRawBufferPointer) {
            switch key.count {
            case 4 where key.isExactly("user"): self = .user
            case 5 where key.isExactly("model"): self = .model
            case 5 where key.isExactly("store"): self = .store
            case 6 where key.isExactly("stream"): self = .stream
            case 10 where key.isExactly("background"): self = .background
            case 16 where key.isExactly("prompt_cache_key"): self = .promptCacheKey
            case 20 where key.isExactly("previous_response_id"): self = .previousResponseID
            default: self = ModelField.isMeant(byKey: key) ? .misspelledModel : .other
            }
        }
    }

    /// What `key` means.
    ///
    /// A key that is not a valid string is refused: lenient parsers read one with an invalid byte or a raw control
    /// character, and could read `model`.
    private static func name(_ key: UnsafeRawBufferPointer, at offset: Int) throws(HTTPFailure) -> Name {
        guard key.count <= maximumKeyBytes else {
            throw .badRequest("invalid_field", "The keys of the body must have at most \(maximumKeyBytes) bytes.")
        }
        if key.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != 0x5C }) { return Name(key) }
        guard let name = JSONString.decode(key) else {
            throw .badRequest("invalid_json", "The body is not JSON in UTF-8; see the key at byte \(offset).")
        }
        return name.withBytes { Name(UnsafeRawBufferPointer($0)) }
    }

    private mutating func take(
        _ name: Name, _ value: UnsafeRawBufferPointer, at place: Range<Int>
    ) throws(HTTPFailure) {
        switch name {
        case .model: try takeModel(value, at: place)
        case .stream: streams = value.isExactly("true")
        case .promptCacheKey: cacheKey = Self.content(value).flatMap { StickyKey($0) }
        case .user: user = Self.content(value).flatMap { StickyKey($0) }
        case .store: stores = stores == true || !value.isExactly("false")
        case .background: isBackground = isBackground || !(value.isExactly("false") || value.isExactly("null"))
        case .previousResponseID: previousResponseID = Self.text(value, maximumBytes: Self.maximumIDBytes)
        case .misspelledModel:
            guard modelValue == .missing else { throw ModelField.twice }
            modelValue = .misspelled
        case .other: break
        }
    }

    private mutating func takeModel(_ value: UnsafeRawBufferPointer, at place: Range<Int>) throws(HTTPFailure) {
        guard modelValue == .missing else { throw ModelField.twice }
        modelPlace = place
        guard let content = Self.content(value) else {
            modelValue = value.isExactly("null") ? .null : .notText
            return
        }
        guard content.count <= 6 * ModelField.maximumBytes else { throw ModelField.tooLong }
        model = JSONString.decode(content)
        modelValue = model == nil ? .notText : .text
    }

    /// What stands between the quotes of a string; nil for another value.
    private static func content(_ value: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard value.count >= 2, value.first == 0x22 else { return nil }
        return UnsafeRawBufferPointer(rebasing: value[1..<value.count - 1])
    }

    private static func text(_ value: UnsafeRawBufferPointer, maximumBytes: Int) -> String? {
        guard let content = content(value), content.count <= 6 * maximumBytes,
            let text = JSONString.decode(content), text.utf8.count <= maximumBytes
        else { return nil }
        return text
    }

    private static func invalid(_ buffer: UnsafeRawBufferPointer, at offset: Int) -> HTTPFailure {
        // RFC 8259, 8.1: JSON is UTF-8. The other encodings begin with a byte order mark, or have a NUL beside "{".
        let isOther =
            buffer.starts(with: [0xFE, 0xFF]) || buffer.starts(with: [0xFF, 0xFE]) || buffer.prefix(4).contains(0)
        return .badRequest(
            "invalid_json",
            isOther
                ? "The body must be JSON in UTF-8; it begins like UTF-16 or UTF-32, perhaps with a byte order mark; see "
                    + "byte \(offset)."
                : "The body is not a JSON object; see byte \(offset).")
    }
}
