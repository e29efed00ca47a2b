// Within the image's build: trim-icu-data WHOLE TRIMMED
//
// Leaves out of ICU's data, which Foundation brings, what no program of ours asks for: 29 of 34 MB. What stays are the
// rules that hold everywhere, and the texts of no language and of English. ICU answers for any other locale by these, and
// Foundation reads UTF-8, UTF-16, and Latin-1 by itself.
//
// The file is an ICU common data package, little-endian: a header, a table of contents sorted by name (a count, then the
// offset of each name and of each item, both from the table's start), the names, the items, each at a multiple of 16.
// Source: ICU4C, `udatamem.h` and `ucmndata.h` ("ICU Data", Unicode's documentation of ICU).
import FoundationEssentials

struct DamagedPackage: Error {}

struct Package {
    let header: ArraySlice<UInt8>
    var items: [(name: String, data: ArraySlice<UInt8>)]

    init(_ bytes: [UInt8]) throws {
        func number(_ offset: Int) throws -> Int {
            guard offset >= 0, offset + 4 <= bytes.count else { throw DamagedPackage() }
            return (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
        }
        // Behind the header's size: 0xDA 0x27, then what kind of machine, and at 12 the format.
        let start = try number(0) & 0xFFFF
        guard bytes[2...3].elementsEqual([0xDA, 0x27]), bytes[8] == 0, bytes[12...15].elementsEqual("CmnD".utf8) else {
            throw DamagedPackage()
        }
        header = bytes[..<start]
        let count = try number(start)
        let offsets = try (0..<count).map { try number(start + 8 + 8 * $0) } + [bytes.count - start]
        items = try (0..<count).map { index in
            let name = bytes[(start + (try number(start + 4 + 8 * index)))...].prefix { $0 != 0 }
            guard offsets[index] <= offsets[index + 1] else { throw DamagedPackage() }
            return (String(decoding: name, as: UTF8.self), bytes[start + offsets[index]..<start + offsets[index + 1]])
        }
    }

    var bytes: [UInt8] {
        func number(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(value >> (8 * $0) & 0xFF) } }
        func padding(after size: Int) -> [UInt8] { [UInt8](repeating: 0, count: -size & 15) }
        let tableSize = 4 + 8 * items.count
        let namesSize = items.reduce(0) { $0 + $1.name.utf8.count + 1 }
        let dataStart = tableSize + namesSize + padding(after: tableSize + namesSize).count
        var table = number(items.count)
        var names: [UInt8] = []
        var data: [UInt8] = []
        for item in items {
            table += number(tableSize + names.count) + number(dataStart + data.count)
            names += Array(item.name.utf8) + [0]
            data += item.data
            data += padding(after: data.count)
        }
        return [Array(header), table, names, padding(after: tableSize + namesSize), data].flatMap { $0 }
    }
}

/// `name` is `icudt76l/` and a path, such as `en_GB.res`, `curr/de.res`, `supplementalData.res`, `ibm-949_P11A-1999.cnv`.
func isNeeded(_ name: String) -> Bool {
    let path = name.split(separator: "/").dropFirst()
    // Encodings of other days, dictionaries that tell words apart where no spaces do, and other scripts' letters.
    guard let file = path.last, !file.hasSuffix(".cnv"), !file.hasSuffix(".dict"), path.first != "translit" else {
        return false
    }
    guard file.hasSuffix(".res") else { return true }
    let locale = file.dropLast(".res".count).split(separator: "_")
    let isLocale = (2...3).contains(locale[0].utf8.count) && locale[0].allSatisfy(\.isLowercase)
    return !isLocale || locale == ["en"] || locale.starts(with: ["en", "US"])
}

let arguments = CommandLine.arguments
guard arguments.count == 3 else { fatalError("usage: trim-icu-data WHOLE TRIMMED") }
var package = try Package([UInt8](Data(contentsOf: URL(filePath: arguments[1]))))
package.items.removeAll { !isNeeded($0.name) }
try Data(package.bytes).write(to: URL(filePath: arguments[2]))
