/// The version of all processes of this package.
public let rollcallVersion = "0.1.0"
