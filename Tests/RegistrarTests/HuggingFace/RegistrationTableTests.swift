import Catalog
import Foundation
import TestSupport
import Testing

@testable import Registrar

@Suite struct RegistrationTableTests {
    @Test(arguments: RegistrationTable.all)
    func decides(_ line: RegistrationCase) throws {
        #expect(try line.outcome() == line.expected)
    }

    @Test func namesAreUnique() {
        #expect(Set(RegistrationTable.all.map(\.name)).count == RegistrationTable.all.count)
    }

    /// For people: `ROLLCALL_TEST_PRINT=1` lists the table as it comes out.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["ROLLCALL_TEST_PRINT"] != nil))
    func prints() throws {
        for line in RegistrationTable.all {
            print("\(line.name) → \(try line.outcome())")
            guard let record = try? line.record() else { continue }
            let small = record.manifest.files.filter {
                [.config, .tokenizer, .chatTemplate, .module].contains($0.role)
            }
            print("    because \(record.chosenBecause ?? "-")")
            print("    with " + small.map { "\($0.path) (\($0.role.rawValue))" }.joined(separator: ", "))
        }
    }

    /// Whatever is chosen, every manifest keeps what manifests promise.
    @Test(arguments: RegistrationTable.all)
    func manifestsAreSound(_ line: RegistrationCase) throws {
        guard let record = try? line.record() else { return }
        let manifest = record.manifest
        #expect(manifest.name == record.name && record.name == record.repo.lowercased())
        #expect(manifest.commit.utf8.count == 40 && manifest.commit == record.commit)
        #expect(Set(manifest.files.map(\.path)).count == manifest.files.count)
        #expect(manifest.files.map(\.priority) == manifest.files.map(\.priority).sorted(by: >))
        #expect(manifest.files.contains { $0.role == .weights && !$0.isOptional })
        for file in manifest.files {
            #expect(file.url.hasPrefix("https://huggingface.co/\(record.repo)/resolve/\(record.commit)/"))
            #expect(file.path == file.name || file.path.hasSuffix("/" + file.name))
            #expect(file.sha256.map { $0.count == 64 && $0 == $0.lowercased() } ?? true)
            #expect(file.runtimes.count == 1)
            let isOptionalRole = [.mmproj, .metal, .draft, .code].contains(file.role)
            #expect(!isOptionalRole || file.isOptional)
        }
        if record.format == .safetensors {
            #expect(
                manifest.files.contains {
                    ["config.json", "params.json"].contains($0.name) && $0.role == .config && !$0.isOptional
                })
            let hasTokenizer = manifest.files.contains { $0.role == .tokenizer && !$0.isOptional }
            #expect(hasTokenizer || record.warnings.contains { $0.code == "no_tokenizer" })
        }
        #expect(record.chosenBecause?.isEmpty == false)
        #expect(!record.alternatives.contains { $0.filename == manifest.files.first { $0.role == .weights }?.path })
    }

    @Test func everyFixtureIsUsed() throws {
        let used = Set(RegistrationTable.all.flatMap(\.fixtures)).union(HubRefusalTests.table.map(\.fixture))
            .union(RepositoryFilesTests.fixtures).union(["README.md"])
        #expect(try FixtureFolder.hub.names() == used)
    }
}
