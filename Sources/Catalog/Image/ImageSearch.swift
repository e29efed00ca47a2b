/// Finds the newest complete image in the image stream, reading as little of it as possible. Pure: it is told what came, and
/// says from where to read next.
///
/// Reading begins at the last chunk of the stream, which nearly always holds the end of the newest image. If the rest of
/// that image, or another complete one, has to be found, reading begins again further back. Parts of images that two
/// schedulers wrote at once may stand in any order.
struct ImageSearch {
    enum Step: Equatable {
        case wait
        /// Subscribe again at this offset; the subscription so far is of no use any more.
        case read(from: Int64)
        /// All parts of an image, in order. `reject` it if it cannot be used.
        case found(id: String, [[UInt8]])
        /// There is no image that can be used.
        case nothing
    }

    /// Of the first part that came: what stands there was there when the search began.
    private var end: Int64?
    /// Where the subscription began; nil: at the last chunk.
    private var start: Int64?
    /// Nothing older is in the stream.
    private var isAtBeginning = false
    private var hasBegun = false
    private var distance: Int64 = 0
    private var parts: [String: [Int: [UInt8]]] = [:]
    /// The newest image that is complete.
    private var complete: String?
    private var rejected: Set<String> = []
    /// Parts that are still on their way are waited for once.
    private var isPatient = true

    /// Nothing has come yet: the stream may be empty.
    var isWaitingForFirst: Bool { end == nil }

    /// `part` is nil if the message is no part of an image.
    mutating func received(_ part: ImagePart?, at offset: Int64) -> Step {
        if !hasBegun {
            hasBegun = true
            isAtBeginning = start.map { offset > $0 || $0 == 0 } ?? (offset == 0)
        }
        let end = end ?? offset
        self.end = end
        distance = max(distance, Int64(part?.count ?? 1))
        var isWhole = false
        if let part, part.version == CatalogImage.version, !rejected.contains(part.image) {
            parts[part.image, default: [:]][part.number] = part.body
            isWhole = parts[part.image]?.count == part.count
            if isWhole {
                if let complete, complete != part.image { parts[complete] = nil }
                complete = part.image
            }
        }
        guard offset >= end else { return .wait }
        if isWhole { return result }
        // The parts of the newest image may still be on their way, if all parts before this one are there.
        if isPatient, let part, let held = parts[part.image], !part.isLast, held.count == part.number + 1 {
            return .wait
        }
        return goFurther()
    }

    /// What was waited for does not come.
    mutating func timedOut() -> Step {
        isPatient = false
        if end == nil { return .nothing }
        return goFurther()
    }

    /// The image that was found cannot be used.
    mutating func reject(_ id: String) -> Step {
        rejected.insert(id)
        complete = nil
        // What was complete before it has been let go.
        guard let start else { return goFurther() }
        return read(from: start)
    }

    private var result: Step {
        guard let complete, let held = parts[complete] else { return .nothing }
        return .found(id: complete, held.sorted { $0.key < $1.key }.map(\.value))
    }

    /// The image that is complete, or a start further back.
    private mutating func goFurther() -> Step {
        if complete != nil { return result }
        guard let end else { return .nothing }
        // The rest of the last chunk may hold what is missing.
        if isAtBeginning { return isPatient ? .wait : .nothing }
        distance = start == nil ? 2 * distance + 2 : 4 * distance
        return read(from: max(0, end - distance))
    }

    private mutating func read(from offset: Int64) -> Step {
        start = offset
        hasBegun = false
        parts = [:]
        return .read(from: offset)
    }
}
