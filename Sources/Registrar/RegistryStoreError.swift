import GRDB

/// What the registry's database cannot do.
struct RegistryStoreError: Error, Sendable, CustomStringConvertible {
    enum Code: Sendable, Hashable {
        /// The file cannot be opened, is no database, or is damaged.
        case unusable
        /// Another process has it locked.
        case busy
        /// A later version of Rollcall has changed the tables.
        case newerVersion
    }

    let code: Code
    let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}

/// What can be done about an error of the database.
enum StoreFailure: Sendable, Hashable {
    /// Busy, full, or out of some other resource: goes away without us, so the delivery is held and tried again.
    case transient
    /// The file is damaged, or not what it was: no command can be executed until a person has looked at it.
    case fatal
    /// This one transaction cannot be done; others can.
    case particular

    init(_ error: any Error) {
        guard let error = error as? DatabaseError else {
            let storeError = error as? RegistryStoreError
            self = storeError?.code == .busy ? .transient : storeError == nil ? .particular : .fatal
            return
        }
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_NOMEM,
            .SQLITE_PROTOCOL, .SQLITE_READONLY:
            self = .transient
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_SCHEMA, .SQLITE_PERM:
            self = .fatal
        default:
            self = .particular
        }
    }
}

extension DatabaseError {
    /// SQLite's own words, without the statement and its values.
    var plainMessage: String { message ?? resultCode.description }
}
