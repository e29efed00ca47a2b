import TestSupport

extension FixtureFolder {
    /// Answers of endpoints.
    static let endpoints = FixtureFolder("endpoints", in: .module)
}
