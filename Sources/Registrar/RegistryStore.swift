import FoundationEssentials
import GRDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The registry's database: the one place where records, their revisions, and the outcomes of commands are decided.
///
/// Several registrars of one host share the file, so nothing of it is remembered in memory: each method reads what it
/// needs in its own transaction. Writers begin with `BEGIN IMMEDIATE`, hence one after the other, whatever process
/// they are in.
final class RegistryStore: Sendable {
    let database: DatabaseQueue
    let failpoint: FailpointHandler

    /// How long SQLite itself waits for another writer before it says SQLITE_BUSY; callers then wait with jitter.
    private static let busyTimeout = 1.0

    /// Opens the database at `location`, makes it where there is none (mode 0600), and brings its tables up to date.
    ///
    /// - Throws: `RegistryStoreError` with what can be done about it; nothing has been changed then.
    init(location: DatabaseLocation, failpoint: @escaping FailpointHandler = { _ in }) throws {
        let lock = OpeningLock(folder: location.folder)
        defer { lock.release() }
        try Self.makeFile(at: location)
        var configuration = Configuration()
        configuration.busyMode = .timeout(Self.busyTimeout)
        configuration.journalMode = .wal
        configuration.foreignKeysEnabled = true
        configuration.label = "registry"
        do {
            database = try DatabaseQueue(path: location.path, configuration: configuration)
            try Self.makeDurable(database)
            try Self.migrate(database)
        } catch let error as DatabaseError {
            let isBusy = error.resultCode == .SQLITE_BUSY || error.resultCode == .SQLITE_LOCKED
            throw RegistryStoreError(
                isBusy ? .busy : .unusable,
                "\(location.path) cannot be used as the registry's database: \(error.plainMessage)")
        }
        self.failpoint = failpoint
    }

    /// Opens it as `init` does, and waits for up to `limit` while another process has it locked.
    ///
    /// SQLite refuses some locks at once, whatever the busy timeout, because waiting for them could be a deadlock
    /// (https://www.sqlite.org/c3ref/busy_handler.html). Turning on the write-ahead log needs such a lock.
    static func opened(
        at location: DatabaseLocation, failpoint: @escaping FailpointHandler = { _ in }, within limit: Duration,
        pause: (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) async throws -> RegistryStore {
        let start = ContinuousClock.now
        var attempt = 0
        while true {
            do {
                return try RegistryStore(location: location, failpoint: failpoint)
            } catch let error as RegistryStoreError where error.code == .busy {
                guard start.duration(to: .now) < limit else { throw error }
            }
            try await pause(Patience.delay(after: attempt))
            attempt += 1
        }
    }

    /// GRDB sets `synchronous=NORMAL` whenever it turns WAL on, after every hook it offers: with NORMAL a power cut
    /// takes back the last commits, and with them what clients were told. So it is set, and read back, afterwards.
    private static func makeDurable(_ database: DatabaseQueue) throws {
        let full = 2
        let level = try database.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA synchronous = FULL")
            return try Int.fetchOne(database, sql: "PRAGMA synchronous")
        }
        guard level == full else {
            throw RegistryStoreError(.unusable, "SQLite does not accept synchronous=FULL")
        }
    }

    /// SQLite would make it with the umask's mode, and the write-ahead log takes over the file's own.
    ///
    /// A file that is there is not opened here: closing it would drop the locks that SQLite holds on it in this process
    /// (https://www.sqlite.org/howtocorrupt.html, "Posix advisory locks canceled").
    private static func makeFile(at location: DatabaseLocation) throws(RegistryStoreError) {
        let path = location.path
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor >= 0 {
            close(descriptor)
        } else if errno != EEXIST || access(path, R_OK | W_OK) != 0 {
            let reason = String(cString: strerror(errno))
            throw RegistryStoreError(.unusable, "\(path) cannot be opened or made: \(reason)")
        } else if access(location.folder, W_OK | X_OK) != 0 {
            // SQLite would only say that it is unable to open the database file.
            throw RegistryStoreError(
                .unusable, "\(path) cannot be used: SQLite needs files beside it, and its folder is not writable")
        }
    }

    /// Runs `body` in one `BEGIN IMMEDIATE` transaction: all of it is committed, or nothing.
    func transaction<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
        try await database.writeWithoutTransaction { database in
            var result: T?
            try database.inTransaction(.immediate) {
                result = try body(database)
                return .commit
            }
            guard let result else { throw RegistryStoreError(.unusable, "a committed transaction gave no result") }
            return result
        }
    }

    /// The registry's own row, as it is now.
    func state() async throws -> RegistryState {
        try await database.read { try RegistryState.read($0) }
    }
}

/// The one row that says which registry this is and how far it has come.
struct RegistryState: Sendable, Hashable {
    /// Lower case; made with the database, named in every checkpoint.
    var uuid: String
    /// Raised when everything is announced anew; 0 before the first time.
    var incarnation: Int64
    /// The revision of the last committed change.
    var revision: Int64
    /// All that has a revision up to this has been published and confirmed.
    var announced: Int64

    static func read(_ database: Database) throws -> RegistryState {
        guard
            let row = try Row.fetchOne(
                database, sql: "SELECT uuid, incarnation, revision, announced FROM registry WHERE id = 1")
        else {
            throw RegistryStoreError(.unusable, "the database has lost the row that says which registry it is")
        }
        return RegistryState(
            uuid: row["uuid"], incarnation: row["incarnation"], revision: row["revision"], announced: row["announced"])
    }

    /// Takes the next revision within the transaction that uses it.
    static func nextRevision(_ database: Database) throws -> Int64 {
        try database.execute(sql: "UPDATE registry SET revision = revision + 1 WHERE id = 1")
        return try read(database).revision
    }
}

/// Lets one registrar of this host at a time open a database in a folder.
///
/// Registrars that start together on a new file would all turn on its write-ahead log and make its tables. The migrator
/// reads which tables there are before its transaction, so the slower one fails: "table registrations already exists".
/// The lock is the folder's: a process that closes the database's own file loses the locks that SQLite holds on it.
private struct OpeningLock {
    private let descriptor: Int32

    /// Waits for the registrar that has it. A folder that cannot be read has none, which is for SQLite to report.
    init(folder: String) {
        descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
    }

    func release() {
        if descriptor >= 0 { close(descriptor) }
    }
}
