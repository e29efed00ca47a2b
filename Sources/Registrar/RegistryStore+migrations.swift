import FoundationEssentials
import GRDB

extension RegistryStore {
    /// Every change of the tables since the first version, in order; one that has been released never changes again.
    static let migrator: DatabaseMigrator = {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1: endpoints and outcomes of commands") { database in
            try makeRegistry(database)
            try makeRecords(database)
        }
        migrator.registerMigration("2: registered models, accepted commands") { database in
            try makeRegistrations(database)
        }
        migrator.registerMigration("3: API keys") { database in
            try database.execute(
                sql: """
                    CREATE TABLE keys (
                        id TEXT PRIMARY KEY,
                        revision INTEGER NOT NULL UNIQUE,
                        record TEXT NOT NULL -- KeyRecord as JSON
                    ) STRICT;
                    """)
        }
        migrator.registerMigration("4: traces of commands") { database in
            for table in ["outcomes", "accepted_commands"] {  // TraceContext as JSON
                try database.execute(sql: "ALTER TABLE \(table) ADD COLUMN trace TEXT")
            }
        }
        migrator.registerMigration("5: no statement reads a whole table") { database in
            try makeHubLooks(database)
            try makeIndexes(database)
        }
        return migrator
    }()

    /// - Throws: `RegistryStoreError` with `newerVersion` where a later version of Rollcall has used the file.
    static func migrate(_ database: DatabaseQueue) throws {
        let isNewer = try database.read { try migrator.hasBeenSuperseded($0) }
        guard !isNewer else {
            throw RegistryStoreError(
                .newerVersion,
                "\(database.path) was last used by a later version of Rollcall: run that one, or go back to a copy of the file"
            )
        }
        do {
            try migrator.migrate(database)
        } catch is DatabaseError {
            // Another registrar that was started at the same moment did the same, and is done: its lock was waited for.
            try migrator.migrate(database)
        }
    }

    private static func makeRegistry(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE registry (
                    id INTEGER PRIMARY KEY CHECK (id = 1),
                    uuid TEXT NOT NULL,
                    incarnation INTEGER NOT NULL,
                    revision INTEGER NOT NULL,
                    announced INTEGER NOT NULL
                ) STRICT;
                """)
        try database.execute(
            sql: "INSERT INTO registry (id, uuid, incarnation, revision, announced) VALUES (1, ?, 0, 0, 0)",
            arguments: [UUID().uuidString.lowercased()])
    }

    private static func makeRecords(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE endpoints (
                    id TEXT PRIMARY KEY,
                    name TEXT NOT NULL UNIQUE,
                    base_url TEXT NOT NULL UNIQUE,
                    revision INTEGER NOT NULL UNIQUE,
                    record TEXT NOT NULL -- EndpointRecord as JSON
                ) STRICT;

                CREATE TABLE tombstones (
                    kind TEXT NOT NULL,
                    id TEXT NOT NULL,
                    revision INTEGER NOT NULL UNIQUE,
                    at INTEGER NOT NULL, -- milliseconds since 1970
                    PRIMARY KEY (kind, id)
                ) STRICT;

                CREATE TABLE outcomes (
                    command TEXT PRIMARY KEY,
                    fingerprint TEXT NOT NULL,
                    operation TEXT NOT NULL, -- Operation as JSON
                    revision INTEGER NOT NULL UNIQUE,
                    at INTEGER NOT NULL -- milliseconds since 1970
                ) STRICT;

                CREATE TABLE configured_endpoints (
                    name TEXT PRIMARY KEY,
                    base_url TEXT NOT NULL
                ) STRICT;
                """)
    }

    private static func makeRegistrations(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE registrations (
                    name TEXT PRIMARY KEY,
                    revision INTEGER NOT NULL UNIQUE,
                    due_at INTEGER NOT NULL, -- milliseconds since 1970: the Hub's live numbers
                    record TEXT NOT NULL -- RegistrationRecord as JSON
                ) STRICT;

                CREATE TABLE accepted_commands (
                    command TEXT PRIMARY KEY,
                    fingerprint TEXT NOT NULL,
                    work TEXT NOT NULL, -- AcceptedCommand.Work as JSON
                    revision INTEGER NOT NULL UNIQUE,
                    at INTEGER NOT NULL -- milliseconds since 1970
                ) STRICT;
                """)
    }

    /// A registration's row is tens of kilobytes long. What changes with each look at the Hub has a row of its own.
    private static func makeHubLooks(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE hub_looks (
                    name TEXT PRIMARY KEY REFERENCES registrations (name) ON DELETE CASCADE,
                    due_at INTEGER NOT NULL, -- milliseconds since 1970: when the Hub is asked again
                    misses INTEGER NOT NULL DEFAULT 0, -- questions in a row that the Hub did not answer
                    revision INTEGER UNIQUE, -- of the numbers; NULL where the record has the newest
                    numbers TEXT -- HubInfo as JSON
                ) STRICT;
                INSERT INTO hub_looks (name, due_at) SELECT name, due_at FROM registrations;
                CREATE INDEX hub_looks_due ON hub_looks (due_at, name);
                ALTER TABLE registrations DROP COLUMN due_at;
                """)
    }

    private static func makeIndexes(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE INDEX outcomes_at ON outcomes (at);
                CREATE INDEX tombstones_at ON tombstones (at);
                -- A checkpoint lists all registrations. This index has what it needs; the table is a thousand times as long.
                CREATE INDEX registrations_live ON registrations (name, revision);
                """)
    }
}
