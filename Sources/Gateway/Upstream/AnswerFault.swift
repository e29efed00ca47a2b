/// Why an endpoint's answer is refused, or counts as broken. The raw value is a constant text for logs.
enum AnswerFault: String, Error {
    // The head.
    case badStatusLine = "The answer does not begin with a status line of HTTP/1.0 or HTTP/1.1."
    case badStatus = "The answer's status is not one of 200 to 599."
    case switchesProtocols = "The answer switches protocols, for which nobody asked."
    case tooManyInterimHeads = "More than 8 interim (1xx) heads precede the answer."
    case headTooLarge = "The answer's head is larger than 64 KiB or has more than 256 fields."
    case bareLineFeed = "A line ends in LF without CR."
    case controlCharacter = "A line contains a control character."
    case foldedLine = "A field continues on a second line."
    case badFieldName = "A field's name is not a token that is followed by a colon."
    case badLength = "Content-Length is not one number."
    case badTransferEncoding = "Transfer-Encoding is not exactly \"chunked\"."
    case twoFramings = "The answer has both Content-Length and Transfer-Encoding."
    // The body.
    case badChunk = "The chunked body is malformed."
    case badExtension = "The extension of a chunk is malformed."
    case chunkLineTooLong = "The line of a chunk's size is longer than 16 KiB."
    case trailersTooLarge = "The trailers are larger than 64 KiB."
    // The end.
    case cutOff = "The endpoint closed the connection in the middle of its answer."
    case reset = "The connection to the endpoint failed in the middle of its answer."
    case incompleteEvent = "The stream ended in the middle of an event."
}
