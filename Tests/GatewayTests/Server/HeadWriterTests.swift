import NIOCore
import Testing

@testable import Gateway

@Suite struct HeadWriterTests {
    private func text(_ writer: HeadWriter) -> String { String(buffer: writer.buffer(ByteBufferAllocator())) }

    @Test func piecesFollowEachOther() {
        let writer = HeadWriter()
        writer.writeField("Naïve", "a long value that is no small string of Swift's")
        writer.write(ByteBuffer(string: "body"))
        #expect(text(writer) == "Naïve: a long value that is no small string of Swift's\r\nbody")
        writer.clear()
        #expect(writer.count == 0 && text(writer) == "")
    }

    @Test func roomGrowsWithWhatIsWritten() {
        let writer = HeadWriter(capacity: 3)
        for number in 0..<1000 { writer.write("\(number),") }
        #expect(text(writer) == (0..<1000).map { "\($0)," }.joined())
        let long = String(repeating: "x", count: 100_000)
        writer.clear()
        writer.write(long)
        #expect(text(writer) == long)
    }

    @Test(arguments: [0, 1, 9, 10, 99, 100, 4096, 1 << 40, 999_999_999_999_999_999, 1_000_000_000_000_000_000, .max])
    func numbersAreDecimal(number: Int) {
        let writer = HeadWriter(capacity: 1)
        writer.write(decimal: number)
        #expect(text(writer) == "\(number)")
    }
}
