/// The version of all programs of this package.
public let rollcallVersion = "0.1.0"
