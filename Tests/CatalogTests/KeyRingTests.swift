import Catalog
import Testing

@Suite struct KeyRingTests {
    /// 32 bytes of 0x00, and of 0xFF, in base64.
    private let first = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    private let second = "//////////////////////////////////////////8="

    @Test func opensWhatItSealed() throws {
        let ring = try KeyRing(first)
        let sealed = try ring.seal("sk-s\u{E9}cret", for: "e1")
        // 66687aad is the beginning of the SHA-256 of 32 zero bytes.
        #expect(sealed.hasPrefix("v1.66687aad."))
        #expect(!sealed.contains("cret"))
        #expect(try ring.unseal(sealed, for: "e1") == "sk-s\u{E9}cret")
        #expect(try ring.seal("sk-s\u{E9}cret", for: "e1") != sealed)
        #expect(try ring.unseal(ring.seal("", for: "e1"), for: "e1") == "")
    }

    @Test func opensWithEachOfItsKeysAndSealsWithTheFirst() throws {
        let old = try KeyRing(first)
        let new = try KeyRing(" \(second) , \(first)\n")
        let sealed = try old.seal("s", for: "e1")
        #expect(try new.unseal(sealed, for: "e1") == "s")
        let resealed = try new.seal("s", for: "e1")
        #expect(throws: KeyRingError.self) { try old.unseal(resealed, for: "e1") }
    }

    @Test func aNewKeyBeforeTheOthersChangesNoFingerprint() throws {
        let old = try KeyRing(first).fingerprints("x".utf8)
        let both = try KeyRing("\(second),\(first)").fingerprints("x".utf8)
        let new = try KeyRing(second).fingerprints("x".utf8)
        #expect(both == old + new, "the old key's first, and the new key's beside it")
        #expect(new != old)
    }

    @Test func doesNotOpenForAnotherEndpointOrAltered() throws {
        let ring = try KeyRing(first)
        let sealed = try ring.seal("secret", for: "e1")
        let altered = sealed.dropLast(6) + "AAAAA="
        let texts = [
            String(altered), "", "v1", "v1.66687aad", "v1.66687aad.", "v1.66687aad.!!", "v1.66687aad.AAAA",
            "v2." + sealed.dropFirst(3), "v1.00000000." + sealed.dropFirst(12), "secret",
        ]
        for text in texts {
            let error = #expect(throws: KeyRingError.self) { try ring.unseal(text, for: "e1") }
            #expect(error.map { $0.description.contains("secret") && text == "secret" } != true)
        }
        #expect(throws: KeyRingError.self) { try ring.unseal(sealed, for: "e2") }
    }

    @Test(arguments: ["", ",", "AAAA", "not base64!", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,"])
    func refusesKeysOfAnotherSizeWithoutRepeatingThem(text: String) {
        let error = #expect(throws: KeyRingError.self) { try KeyRing(text) }
        #expect(error?.description.contains("AAAA") == false)
        #expect(error?.description.contains("not") == true)
    }

    @Test func fingerprintIsStableAndTheDescriptionHoldsNoKey() throws {
        let ring = try KeyRing(first)
        #expect(ring.fingerprints("body".utf8) == ring.fingerprints(Array("body".utf8)))
        #expect(ring.fingerprints("body".utf8) != ring.fingerprints("body2".utf8))
        #expect(ring.fingerprints([]).map(\.count) == [64])
        #expect("\(ring)" == "KeyRing(66687aad)")
    }
}
