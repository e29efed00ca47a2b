#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Equality and order of strings by their UTF-8 bytes.
///
/// `String`'s own operators follow Unicode normalisation: they call strings equal that are sent as other bytes. Where
/// bytes end up in the merged list, or decide which of two rows counts, they would make the outcome depend on the
/// order of arrival.
enum ByteOrder {
    static func same(_ left: String, _ right: String) -> Bool {
        let bytes = left.utf8.withContiguousStorageIfAvailable { left in
            right.utf8.withContiguousStorageIfAvailable { right in
                guard left.count == right.count, let one = left.baseAddress, let other = right.baseAddress else {
                    return left.count == right.count
                }
                return memcmp(one, other, left.count) == 0
            }
        }
        return (bytes ?? nil) ?? left.utf8.elementsEqual(right.utf8)
    }

    static func same(_ left: String?, _ right: String?) -> Bool {
        switch (left, right) {
        case (nil, nil): true
        case (let left?, let right?): same(left, right)
        default: false
        }
    }

    static func precedes(_ left: String, _ right: String) -> Bool {
        let answer = left.utf8.withContiguousStorageIfAvailable { left in
            right.utf8.withContiguousStorageIfAvailable { right in left.lexicographicallyPrecedes(right) }
        }
        return (answer ?? nil) ?? left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    /// Below 0 if `text` stands before `head` followed by `tail`, 0 if it is the same, above 0 if it stands after.
    static func compare(
        _ text: String, with head: UnsafeBufferPointer<UInt8>, followedBy tail: UnsafeBufferPointer<UInt8>
    ) -> Int {
        var text = text
        return text.withUTF8 { text in
            let order = compare(text.prefix(head.count), head[...])
            return order == 0 ? compare(text.dropFirst(head.count), tail[...]) : order
        }
    }

    /// The same of `text` and of `other` with its ASCII letters in lower case.
    static func compare(_ text: String, withLowercased other: UnsafeBufferPointer<UInt8>) -> Int {
        var text = text
        return text.withUTF8 { text in
            for place in 0..<min(text.count, other.count) {
                let order = Int(text[place]) - Int(ASCIIFolding.lowercased(other[place]))
                if order != 0 { return order }
            }
            return text.count - other.count
        }
    }

    private static func compare(
        _ left: Slice<UnsafeBufferPointer<UInt8>>, _ right: Slice<UnsafeBufferPointer<UInt8>>
    ) -> Int {
        let (left, right) = (UnsafeBufferPointer(rebasing: left), UnsafeBufferPointer(rebasing: right))
        if let start = left.baseAddress, let other = right.baseAddress {
            let order = memcmp(start, other, min(left.count, right.count))
            if order != 0 { return Int(order) }
        }
        return left.count - right.count
    }
}
