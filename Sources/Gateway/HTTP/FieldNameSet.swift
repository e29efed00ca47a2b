/// A set of field names that is asked without regard to letter case and without making a string.
struct FieldNameSet: Sendable {
    /// Names in lower case, by their length.
    private var byLength: [[[UInt8]]] = []

    init(_ names: [String]) {
        for name in names {
            let bytes = Array(name.utf8)
            while byLength.count <= bytes.count { byLength.append([]) }
            byLength[bytes.count].append(bytes)
        }
    }

    func contains(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        guard name.count < byLength.count else { return false }
        for candidate in byLength[name.count] {
            var index = 0
            while index < candidate.count, name[index].lowercasedASCII == candidate[index] { index += 1 }
            if index == candidate.count { return true }
        }
        return false
    }

    /// Whether a name in any case begins with `prefix`, which is in lower case.
    static func hasPrefix(_ name: UnsafeBufferPointer<UInt8>, _ prefix: StaticString) -> Bool {
        guard name.count >= prefix.utf8CodeUnitCount else { return false }
        for index in 0..<prefix.utf8CodeUnitCount where name[index].lowercasedASCII != prefix.utf8Start[index] {
            return false
        }
        return true
    }
}
