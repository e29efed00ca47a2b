/// The field `model` of a request, and the names that some parser could take for it.
///
/// An API key may be limited to some models. So the gateway must be sure that the endpoint reads the very `model` that
/// the gateway has checked. It refuses a request that has another name which any known parser reads as `model`.
enum ModelField {
    static let name = "model"

    /// `key` is a key of a JSON object, unescaped.
    ///
    /// Go's `encoding/json` takes a key in any letter case ("preferring an exact match but also accepting a
    /// case-insensitive match", pkg.go.dev/encoding/json#Unmarshal), and so does System.Text.Json if asked to. Go folds
    /// as `bytes.EqualFold` does: by Unicode's simple case folding. The only characters outside of ASCII that fold to
    /// a letter of ASCII are U+017F (to `s`) and U+212A (to `k`), and `model` has neither, so that folding ASCII is
    /// enough. Parsers in C that keep keys as C strings end a key at its first NUL.
    static func isMeant(byKey key: some Collection<UInt8>) -> Bool {
        guard key.first?.lowercasedASCII == UInt8(ascii: "m") else { return false }
        return key.lazy.prefix { $0 != 0 }.map(\.lowercasedASCII).elementsEqual(name.utf8)
    }

    /// `text` is the name of a form's part or of a query's item, as sent.
    ///
    /// Some servers decode `%65` in the name of a part, and some cut off spaces and quotes. PHP, Rails, and the `qs`
    /// module of Express read `model[]` as a list that is called `model`.
    static func isMeant(byName text: some Collection<UInt8>) -> Bool {
        var name = decoded(text)[...]
        name = name.prefix { $0 != UInt8(ascii: "[") && $0 != 0 }
        while let first = name.first, isTrimmed(first) { name.removeFirst() }
        while let last = name.last, isTrimmed(last) { name.removeLast() }
        return isMeant(byKey: name)
    }

    private static func isTrimmed(_ byte: UInt8) -> Bool {
        byte <= 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
    }

    /// Percent-decoded with `+` as a space. A `%` without two hex digits stays as it is, as most parsers leave it.
    private static func decoded(_ text: some Collection<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = text[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16),
                rest.count >= 2, rest.first != UInt8(ascii: "+"), rest.first != UInt8(ascii: "-")
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return bytes
    }

    /// Throws 400 for a query that names a model: Go's `FormValue` takes a field from the query before the same field of
    /// the form.
    static func check(query: String?) throws(HTTPFailure) {
        guard let query, !query.isEmpty else { return }
        // Some parsers separate items by ";" as HTML 4 recommended.
        for item in query.utf8.split(whereSeparator: { $0 == UInt8(ascii: "&") || $0 == UInt8(ascii: ";") })
        where isMeant(byName: item.prefix { $0 != UInt8(ascii: "=") }) {
            throw .badRequest(
                "invalid_field", "Name the model in the body, and not in the query of the URL.", param: name)
        }
    }

    // MARK: Failures

    static let required = HTTPFailure.badRequest(
        "model_required",
        "The request names no model. Send its id in the field \"model\" of the body; GET /v1/models lists the models.",
        param: name)
    static let twice = HTTPFailure.badRequest(
        "duplicate_field", "The request names its model more than once. Send one field \"model\".", param: name)
    static let misspelled = HTTPFailure.badRequest(
        "invalid_field", "The field that names the model must be spelled \"model\", in lower case.", param: name)
    static let notText = HTTPFailure.badRequest("invalid_type", "The field \"model\" must be a string.", param: name)

    /// The longest name of a model, in bytes of UTF-8.
    static let maximumBytes = 1 << 10
    static let tooLong = HTTPFailure.badRequest(
        "invalid_model", "The name of a model must have at most \(maximumBytes) bytes.", param: name)
    /// Parsers in C end a text at a NUL.
    static let unprintable = HTTPFailure.badRequest(
        "invalid_model", "The name of a model must not hold control characters.", param: name)

    /// Throws 400 for a name that no endpoint can have.
    static func checked(_ model: String?) throws(HTTPFailure) -> String {
        guard let model, !model.isEmpty else { throw required }
        guard model.utf8.count <= maximumBytes else { throw tooLong }
        guard model.withBytes({ $0.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }) else { throw unprintable }
        return model
    }
}
