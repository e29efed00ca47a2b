extension Unicode.Scalar {
    /// Whether the character does not show as itself: it ends a line for some readers (U+0085, U+2028), steers a terminal
    /// (U+009B), or turns the text around it (U+202E).
    public var isHidden: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
