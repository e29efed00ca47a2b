import Foundation
import TestSupport
import Testing

@testable import CommandLineClient

@Suite("What is written", .timeLimit(.minutes(1)))
struct ConsoleTests {
    @Test("A pipe that is full for a moment gets all of it, also if writing to it does not block")
    func nonBlocking() async throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        let (reading, writing) = (ends[0], ends[1])
        #expect(fcntl(writing, F_SETFL, O_NONBLOCK) == 0)
        let bytes = [UInt8](repeating: 7, count: 1 << 20)
        async let error = onThread {
            defer { close(writing) }
            return Console.put(bytes, on: writing)
        }
        let count = await onThread {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            var total = 0
            while case let count = read(reading, &buffer, buffer.count), count > 0 { total += count }
            return total
        }
        #expect(await error == nil && count == bytes.count)
        close(reading)
    }

    @Test("What cannot be written fails with the reason")
    func full() throws {
        let descriptor = open("/dev/full", O_WRONLY)
        #expect(Console.put([1], on: descriptor) == ENOSPC)
        close(descriptor)
    }
}
