import AMQP
import TestSupport
import Testing

@testable import Catalog

@Suite struct ImageSearchTests {
    /// A stream of image parts, named `<image><number>/<count>`, from an offset on; `-` is a foreign message.
    private struct Stream {
        var parts: [ImagePart?]
        var first: Int64 = 0
        /// The last chunk begins so many messages before the end.
        var lastChunk = 1

        init(_ text: String, first: Int64 = 0, lastChunk: Int = 1, version: Int64 = CatalogImage.version) {
            parts = text.split(separator: " ").map { word in
                guard let image = word.first, image != "-" else { return nil }
                let numbers = word.dropFirst().split(separator: "/").compactMap { Int($0) }
                let isOther = image.isUppercase
                return ImagePart(
                    version: isOther ? version + 1 : version, image: String(image), number: numbers[0],
                    count: numbers[1], body: Array(word.utf8))
            }
            self.first = first
            self.lastChunk = lastChunk
        }

        /// What a search finds, the images it was made to reject before, and where it read.
        func search(rejecting rejected: Set<String> = []) -> (found: String?, starts: [Int64]) {
            var search = ImageSearch()
            var starts: [Int64] = []
            var next = parts.count - lastChunk
            for _ in 0..<1000 {
                var step: ImageSearch.Step
                if next < parts.count {
                    step = search.received(parts[next], at: first + Int64(next))
                    next += 1
                } else {
                    step = search.timedOut()
                }
                if case .found(let id, let bodies) = step {
                    #expect(
                        bodies.map { String(decoding: $0, as: UTF8.self) }
                            == bodies.indices.map { "\(id)\($0)/\(bodies.count)" })
                    guard rejected.contains(id) else { return (id, starts) }
                    step = search.reject(id)
                }
                switch step {
                case .wait: break
                case .read(let from):
                    starts.append(from)
                    next = Int(max(0, from - first))
                case .found(let id, _): return (id, starts)
                case .nothing: return (nil, starts)
                }
            }
            Issue.record("the search does not end")
            return (nil, starts)
        }
    }

    @Test func anEmptyStreamHasNone() {
        var search = ImageSearch()
        #expect(search.isWaitingForFirst)
        #expect(search.timedOut() == .nothing)
    }

    @Test func theLastImageOfOnePartIsFoundAtOnce() {
        let result = Stream("a0/1 b0/1 c0/1", first: 70).search()
        #expect(result.found == "c" && result.starts.isEmpty)
    }

    @Test func theRestOfTheLastImageIsLookedForOnce() {
        let result = Stream("a0/3 a1/3 a2/3 b0/3 b1/3 b2/3", first: 70).search()
        #expect(result.found == "b" && result.starts == [75 - 8])
    }

    @Test func anImageThatIsStillBeingWrittenIsWaitedFor() {
        #expect(Stream("a0/1 b0/3 b1/3 b2/3", lastChunk: 3).search().found == "b")
        #expect(Stream("a0/1 b0/3 b1/3 b2/3", lastChunk: 2).search().found == "b")
    }

    @Test func anImageThatWasNeverFinishedIsPassedOver() {
        #expect(Stream("a0/2 a1/2 b0/3 b1/3").search().found == "a")
        #expect(Stream("a0/1 b0/3").search().found == "a")
    }

    @Test func partsOfTwoWritersMayStandInAnyOrder() {
        #expect(Stream("a0/3 b0/3 a1/3 b1/3 b2/3 a2/3").search().found == "a")
        #expect(Stream("a0/3 b0/3 a1/3 b1/3 a2/3 b2/3", lastChunk: 3).search().found == "a")
        // The same image twice: parts complete each other.
        #expect(Stream("a0/2 a0/2 a1/2 a1/2").search().found == "a")
    }

    @Test func aMissingPartLeadsToTheImageBefore() {
        #expect(Stream("a0/2 a1/2 b0/2 c0/2 c1/2 d1/2").search().found == "c")
        #expect(Stream("- b1/2", first: 9).search().found == nil)
    }

    @Test func imagesOfAnotherVersionAreNotUsed() {
        #expect(Stream("a0/1 B0/1 C0/1").search().found == "a")
        #expect(Stream("B0/1 C0/1").search().found == nil)
    }

    @Test func aRejectedImageIsNotFoundAgain() {
        #expect(Stream("a0/1 b0/1 c0/2 c1/2").search(rejecting: ["c"]).found == "b")
        #expect(Stream("a0/1 b0/1 c0/2 c1/2").search(rejecting: ["a", "b", "c"]).found == nil)
        #expect(Stream("a0/1 - - - - - - - - - - - - - - -", first: 1000).search().found == "a")
    }

    /// Whatever writers did to the stream, a search ends, and finds an image if one of the last two is complete.
    @Test(arguments: 0..<200 as Range<UInt64>)
    func aSearchEndsAndFindsWhatIsThere(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var words: [String] = []
        for image in "abcdefgh".prefix(Int.random(in: 1...8, using: &generator)) {
            let count = Int.random(in: 1...4, using: &generator)
            for number in 0..<count where Int.random(in: 0..<8, using: &generator) > 0 {
                let place = max(0, words.count - Int.random(in: 0...2, using: &generator))
                words.insert("\(image)\(number)/\(count)", at: place)
            }
        }
        guard !words.isEmpty else { return }
        let complete = Set(
            "abcdefgh".filter { image in
                let own = words.filter { $0.first == image }
                return own.first.flatMap { $0.last?.wholeNumberValue } == own.count
            }.map(String.init))
        let stream = Stream(
            words.joined(separator: " "), first: 500, lastChunk: Int.random(in: 1...words.count, using: &generator))
        let found = stream.search().found
        #expect(found.map { complete.contains($0) } ?? complete.isEmpty, "seed \(seed): \(words)")
    }

    @Test func partsComeBackFromMessages() throws {
        let part = ImagePart(version: 1, image: "i", number: 2, count: 5, body: [1, 2])
        #expect(ImagePart(part.message) == part)
        for header in ["version", "image", "part", "parts"] {
            var message = part.message
            message.headers[header] = nil
            #expect(ImagePart(message) == nil)
        }
        var message = part.message
        message.headers["part"] = .integer(5)
        #expect(ImagePart(message) == nil)
        message = part.message
        message.type = "snapshot.batch"
        #expect(ImagePart(message) == nil)
    }
}
