import Glibc
import NIOCore

/// How many processors this process may use.
enum ProcessorCount {
    /// The least of what the machine has, what the container's quota allows, and what the process is bound to (`taskset`,
    /// cpusets): a thread more than that only takes turns with another one.
    static var usable: Int { max(1, min(bound ?? .max, System.coreCount)) }

    /// `Cpus_allowed` of `/proc/self/status`: a mask in hexadecimal with commas (proc(5)). nil if it cannot be read.
    private static var bound: Int? {
        guard let file = fopen("/proc/self/status", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 4096)
        while fgets(&line, Int32(line.count), file) != nil {
            let bytes = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            guard bytes.starts(with: "Cpus_allowed:".utf8) else { continue }
            let count = bytes.drop { $0 != UInt8(ascii: ":") }.reduce(0) { count, digit in
                count + (Character(UnicodeScalar(digit)).hexDigitValue?.nonzeroBitCount ?? 0)
            }
            return count > 0 ? count : nil
        }
        return nil
    }
}
