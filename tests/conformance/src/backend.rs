//! Where a case runs.

/// A database, and who made the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A SQLite file of its own.
    SqliteFile,
    /// A SQLite database in memory.
    SqliteMemory,
    /// A schema of its own on the shared PostgreSQL server.
    Postgres,
    /// The host's own transaction on a SQLite connection it lends.
    LentSqlite,
    /// The host's own transaction on a PostgreSQL connection it lends.
    LentPostgres,
}

impl Backend {
    /// All of them, in the order of their trials.
    pub const ALL: [Backend; 5] =
        [Self::SqliteFile, Self::SqliteMemory, Self::Postgres, Self::LentSqlite, Self::LentPostgres];

    /// The prefix of its trials' names.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SqliteFile => "sqlite-file",
            Self::SqliteMemory => "sqlite-memory",
            Self::Postgres => "postgres",
            Self::LentSqlite => "lent-sqlite",
            Self::LentPostgres => "lent-postgres",
        }
    }

    /// Whether the host lends the connection: only transactional cases run so.
    pub const fn lent(self) -> bool {
        matches!(self, Self::LentSqlite | Self::LentPostgres)
    }
}
