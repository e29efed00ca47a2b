/// Follows a chunked body (RFC 9112, section 7.1) without looking at its payload. A chunk costs its size line and one
/// step over its data, however large the data is.
struct ChunkFollower: Sendable {
    static let lineLimit = 16 * 1024
    static let trailerLimit = 64 * 1024

    private enum State: UInt8 {
        case sizeStart, size, sizeLineFeed
        case extensionStart, extensionName, extensionValueStart, extensionValue
        case quotedValue, quotedPair, quoteEnd
        case data, dataReturn, dataLineFeed
        case trailerStart, trailerName, trailerValue, trailerLineFeed, lastLineFeed
        case ended
    }

    private var state = State.sizeStart
    /// The size as far as its digits have come, then how much of the chunk's data is still to come.
    private var remaining = 0
    /// The length so far of the size line, or of all trailers.
    private var lineLength = 0

    /// Whether the next byte is the first of a chunk's size line.
    var isAtBoundary: Bool { state == .sizeStart }

    mutating func next(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> AnswerFraming.Step {
        while offset < bytes.count {
            if state == .data {
                let end = offset + min(remaining, bytes.count - offset)
                let payload = offset..<end
                remaining -= payload.count
                offset = end
                if remaining == 0 { state = .dataReturn }
                return .payload(payload)
            }
            if stepOverLine(bytes, &offset) {
                if state == .sizeStart { return .boundary }
                continue
            }
            let byte = bytes[offset]
            offset += 1
            if let fault = take(byte) { return .malformed(fault) }
            switch state {
            case .sizeStart: return .boundary
            case .ended: return .ended
            default: break
            }
        }
        return state == .ended ? .ended : .needsMore
    }

    /// The usual lines, if they are here as a whole: the CRLF behind a chunk's data, and a size of at most eight digits
    /// without extensions. Returns false, and changes nothing, if the bytes must be looked at one by one.
    private mutating func stepOverLine(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> Bool {
        var index = offset
        var size = 0
        if state == .sizeStart {
            let limit = min(bytes.count, offset + 8)
            while index < limit, let digit = bytes[index].hexDigit {
                size = size &<< 4 | digit
                index += 1
            }
            // The last chunk has trailers behind it.
            guard size > 0 else { return false }
        } else if state != .dataReturn {
            return false
        }
        guard index + 1 < bytes.count, bytes[index] == .carriageReturn, bytes[index + 1] == .lineFeed else {
            return false
        }
        offset = index + 2
        remaining = size
        state = size > 0 ? .data : .sizeStart
        return true
    }

    /// One byte that is not payload.
    private mutating func take(_ byte: UInt8) -> AnswerFault? {
        switch state {
        case .sizeStart:
            guard let digit = byte.hexDigit else { return .badChunk }
            (remaining, lineLength, state) = (digit, 1, .size)
        case .size:
            return takeSize(byte)
        case .sizeLineFeed:
            guard byte == .lineFeed else { return .badChunk }
            state = remaining == 0 ? .trailerStart : .data
            lineLength = 0
        case .dataReturn:
            guard byte == .carriageReturn else { return .badChunk }
            state = .dataLineFeed
        case .dataLineFeed:
            guard byte == .lineFeed else { return .badChunk }
            state = .sizeStart
        case .extensionStart, .extensionName, .extensionValueStart, .extensionValue, .quotedValue, .quotedPair,
            .quoteEnd:
            return takeExtension(byte)
        case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .lastLineFeed:
            return takeTrailer(byte)
        case .data, .ended:
            break
        }
        return nil
    }

    private mutating func takeSize(_ byte: UInt8) -> AnswerFault? {
        if let digit = byte.hexDigit {
            lineLength += 1
            guard lineLength <= Self.lineLimit else { return .chunkLineTooLong }
            guard remaining <= (Int.max - digit) / 16 else { return .badChunk }
            remaining = remaining * 16 + digit
            return nil
        }
        return endSizeElement(byte, or: .badChunk)
    }

    /// Behind the size, and behind each extension, there is another extension or the end of the line.
    private mutating func endSizeElement(_ byte: UInt8, or fault: AnswerFault) -> AnswerFault? {
        switch byte {
        case .carriageReturn: state = .sizeLineFeed
        case UInt8(ascii: ";"): state = .extensionStart
        default: return fault
        }
        return nil
    }

    /// Extensions mean nothing here, but they go on to the client. So their syntax must be right.
    private mutating func takeExtension(_ byte: UInt8) -> AnswerFault? {
        lineLength += 1
        guard lineLength <= Self.lineLimit else { return .chunkLineTooLong }
        let isToken = byte.isTokenCharacter
        switch state {
        case .extensionStart:
            guard isToken else { return .badExtension }
            state = .extensionName
        case .extensionName:
            if isToken { return nil }
            guard byte == UInt8(ascii: "=") else { return endSizeElement(byte, or: .badExtension) }
            state = .extensionValueStart
        case .extensionValueStart:
            guard isToken || byte == UInt8(ascii: "\"") else { return .badExtension }
            state = isToken ? .extensionValue : .quotedValue
        case .extensionValue:
            return isToken ? nil : endSizeElement(byte, or: .badExtension)
        case .quotedValue:
            switch byte {
            case UInt8(ascii: "\""): state = .quoteEnd
            case UInt8(ascii: "\\"): state = .quotedPair
            default: return byte.isFieldCharacter ? nil : .badExtension
            }
        case .quotedPair:
            guard byte.isFieldCharacter else { return .badExtension }
            state = .quotedValue
        default:
            return endSizeElement(byte, or: .badExtension)
        }
        return nil
    }

    private mutating func takeTrailer(_ byte: UInt8) -> AnswerFault? {
        lineLength += 1
        guard lineLength <= Self.trailerLimit else { return .trailersTooLarge }
        switch state {
        case .trailerStart:
            if byte == .carriageReturn {
                state = .lastLineFeed
            } else {
                guard byte.isTokenCharacter else { return .badFieldName }
                state = .trailerName
            }
        case .trailerName:
            if byte.isTokenCharacter { return nil }
            guard byte == .colon else { return .badFieldName }
            state = .trailerValue
        case .trailerValue:
            if byte.isFieldCharacter { return nil }
            guard byte == .carriageReturn else { return byte == .lineFeed ? .bareLineFeed : .controlCharacter }
            state = .trailerLineFeed
        default:
            guard byte == .lineFeed else { return .controlCharacter }
            state = state == .trailerLineFeed ? .trailerStart : .ended
        }
        return nil
    }
}
