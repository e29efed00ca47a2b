import NIOCore

/// The lines of a head, put together in memory that is used again for each head of an event loop.
///
/// A head has dozens of pieces. `ByteBuffer` checks its ownership and its room for each one, which was a tenth of the
/// instructions of a proxied chat; here a piece is a copy of its bytes.
final class HeadWriter {
    private var start: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int = 4096) {
        start = .allocate(byteCount: capacity, alignment: 1)
        self.capacity = capacity
    }

    deinit { start.deallocate() }

    func clear() { count = 0 }

    func write(_ text: StaticString) {
        write(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    func write(_ text: String) { text.withBytes { write(UnsafeRawBufferPointer($0)) } }

    func write(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        makeRoom(for: bytes.count)
        (start + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    func write(_ bytes: ByteBuffer) { bytes.withUnsafeReadableBytes { write($0) } }

    /// The digits of a number that is not negative.
    func write(decimal number: Int) {
        var rest = number.magnitude
        var length = 1
        var limit: UInt = 10
        while length < 19, rest >= limit {
            length += 1
            limit *= 10
        }
        makeRoom(for: length)
        for place in (count..<count + length).reversed() {
            start.storeBytes(
                of: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10), toByteOffset: place, as: UInt8.self)
            rest /= 10
        }
        count += length
    }

    /// One header field as a line.
    func writeField(_ name: String, _ value: String) {
        write(name)
        write(": ")
        write(value)
        write("\r\n")
    }

    /// What was written.
    func buffer(_ allocator: ByteBufferAllocator) -> ByteBuffer {
        var buffer = allocator.buffer(capacity: count)
        buffer.writeBytes(UnsafeRawBufferPointer(start: start, count: count))
        return buffer
    }

    private func makeRoom(for length: Int) {
        guard count + length > capacity else { return }
        let larger = max(2 * capacity, count + length)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 1)
        memory.copyMemory(from: start, byteCount: count)
        start.deallocate()
        (start, capacity) = (memory, larger)
    }
}
