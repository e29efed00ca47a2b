/// Equality and order of strings by their UTF-8 bytes.
///
/// `String`'s own operators follow Unicode normalisation: they call strings equal that are sent as other bytes. Where
/// bytes end up in the merged list, or decide which of two rows counts, they would make the outcome depend on the
/// order of arrival.
enum ByteOrder {
    static func same(_ left: String, _ right: String) -> Bool {
        let bytes = left.utf8.withContiguousStorageIfAvailable { left in
            right.utf8.withContiguousStorageIfAvailable { right in
                left.count == right.count && UnsafeRawBufferPointer(left).elementsEqual(UnsafeRawBufferPointer(right))
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
}
