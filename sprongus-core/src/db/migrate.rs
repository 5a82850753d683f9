//! Brings the schema up to date: numbered SQL per database, checksums, one process at a time.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

use super::{Commit, Connection, Dialect, Executor, Value};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::fork::made_once;

struct Migration {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "foundation",
        sqlite: include_str!("migrations/sqlite/0001_foundation.sql"),
        postgres: include_str!("migrations/postgres/0001_foundation.sql"),
    },
    Migration {
        version: 2,
        name: "attempts",
        sqlite: include_str!("migrations/sqlite/0002_attempts.sql"),
        postgres: include_str!("migrations/postgres/0002_attempts.sql"),
    },
    Migration {
        version: 3,
        name: "approvals",
        sqlite: include_str!("migrations/sqlite/0003_approvals.sql"),
        postgres: include_str!("migrations/postgres/0003_approvals.sql"),
    },
    Migration {
        version: 4,
        name: "limits",
        sqlite: include_str!("migrations/sqlite/0004_limits.sql"),
        postgres: include_str!("migrations/postgres/0004_limits.sql"),
    },
    Migration {
        version: 5,
        name: "schedules",
        sqlite: include_str!("migrations/sqlite/0005_schedules.sql"),
        postgres: include_str!("migrations/postgres/0005_schedules.sql"),
    },
    Migration {
        version: 6,
        name: "feed",
        sqlite: include_str!("migrations/sqlite/0006_feed.sql"),
        postgres: include_str!("migrations/postgres/0006_feed.sql"),
    },
    Migration {
        version: 7,
        name: "sync",
        sqlite: include_str!("migrations/sqlite/0007_sync.sql"),
        postgres: include_str!("migrations/postgres/0007_sync.sql"),
    },
    Migration {
        version: 8,
        name: "search",
        sqlite: include_str!("migrations/sqlite/0008_search.sql"),
        postgres: include_str!("migrations/postgres/0008_search.sql"),
    },
    Migration {
        version: 9,
        name: "bulk",
        sqlite: include_str!("migrations/sqlite/0009_bulk.sql"),
        postgres: include_str!("migrations/postgres/0009_bulk.sql"),
    },
    Migration {
        version: 10,
        name: "keys",
        sqlite: include_str!("migrations/sqlite/0010_keys.sql"),
        postgres: include_str!("migrations/postgres/0010_keys.sql"),
    },
    Migration {
        version: 11,
        name: "tables",
        sqlite: include_str!("migrations/sqlite/0011_tables.sql"),
        postgres: include_str!("migrations/postgres/0011_tables.sql"),
    },
    Migration {
        version: 12,
        name: "projects",
        sqlite: include_str!("migrations/sqlite/0012_projects.sql"),
        postgres: include_str!("migrations/postgres/0012_projects.sql"),
    },
    Migration {
        version: 13,
        name: "rates",
        sqlite: include_str!("migrations/sqlite/0013_rates.sql"),
        postgres: include_str!("migrations/postgres/0013_rates.sql"),
    },
    Migration {
        version: 14,
        name: "plain_keys",
        sqlite: include_str!("migrations/sqlite/0014_plain_keys.sql"),
        postgres: include_str!("migrations/postgres/0014_plain_keys.sql"),
    },
];

/// The version of the schema that this library works with.
pub(crate) const SCHEMA_VERSION: i64 = MIGRATIONS[MIGRATIONS.len() - 1].version;

pub(super) const REGISTER: &str = "CREATE TABLE IF NOT EXISTS sprongus_migrations (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at TEXT NOT NULL)";

impl Migration {
    fn sql(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
        }
    }

    /// SHA-256 of the SQL, hexadecimal: a migration that was changed after it was applied is seen.
    fn checksum(&self, dialect: Dialect) -> &'static str {
        let all = match dialect {
            Dialect::Sqlite => &SQLITE,
            Dialect::Postgres => &POSTGRES,
        };
        &made_once(all, || checksums(dialect))[&self.version]
    }
}

// Each store that is opened asks for all of them, and they are the same for the life of the process.
static SQLITE: OnceLock<BTreeMap<i64, String>> = OnceLock::new();
static POSTGRES: OnceLock<BTreeMap<i64, String>> = OnceLock::new();

fn checksums(dialect: Dialect) -> BTreeMap<i64, String> {
    let hex = |sql: &str| Sha256::digest(sql).iter().map(|byte| format!("{byte:02x}")).collect();
    MIGRATIONS.iter().map(|migration| (migration.version, hex(migration.sql(dialect)))).collect()
}

/// The SQL of each migration, in order.
pub(super) fn migrations(dialect: Dialect) -> impl Iterator<Item = &'static str> {
    MIGRATIONS.iter().map(move |migration| migration.sql(dialect))
}

/// Version, name and checksum of each migration, in order.
pub(crate) fn known_migrations(dialect: Dialect) -> impl Iterator<Item = (i64, &'static str, &'static str)> {
    MIGRATIONS.iter().map(move |migration| (migration.version, migration.name, migration.checksum(dialect)))
}

/// The SQL of every migration, for hosts that apply schemas themselves; run it in one transaction.
///
/// ```
/// let sql = sprongus::migration_sql(sprongus::Dialect::Sqlite);
/// assert!(sql.contains("CREATE TABLE sprongus_runs"));
/// ```
pub fn migration_sql(dialect: Dialect) -> String {
    let mut all = format!("{REGISTER};\n");
    for migration in MIGRATIONS {
        let (version, name, checksum) = (migration.version, migration.name, migration.checksum(dialect));
        all.push_str(migration.sql(dialect));
        let now = match dialect {
            Dialect::Sqlite => "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')",
            Dialect::Postgres => "to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
        };
        all.push_str(&format!("\nINSERT INTO sprongus_migrations (version, name, checksum, applied_at) VALUES ({version}, '{name}', '{checksum}', {now});\n"));
    }
    all
}

/// The schema as it is found.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Current,
    Behind(i64),
}

/// Looks, and only looks; a newer schema and a changed migration are errors.
fn inspect(exec: &mut dyn Executor) -> Result<Found> {
    let dialect = exec.dialect();
    let there = match dialect {
        Dialect::Sqlite => "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'sprongus_migrations'",
        Dialect::Postgres => {
            "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = 'sprongus_migrations'"
        }
    };
    let there = exec.query(there, &[])?;
    if there.first().map_or(Ok(0), |row| row.int(0))? == 0 {
        return Ok(Found::Behind(0));
    }
    let applied = exec.query("SELECT version, checksum FROM sprongus_migrations ORDER BY version", &[])?;
    let mut highest = 0;
    for row in &applied {
        highest = row.int(0)?;
        let Some(known) = MIGRATIONS.iter().find(|migration| migration.version == highest) else {
            return Err(Error::new(
                ErrorCode::SchemaVersion,
                format!(
                    "the store's schema is version {highest}, this library knows {SCHEMA_VERSION}: update the library; nothing was written"
                ),
            ));
        };
        if known.checksum(dialect) != row.text(1)? {
            return Err(Error::new(
                ErrorCode::SchemaVersion,
                format!(
                    "migration {highest} was applied with other SQL than this library's: the schema cannot be trusted"
                ),
            ));
        }
    }
    Ok(if highest == SCHEMA_VERSION { Found::Current } else { Found::Behind(highest) })
}

/// Whether the schema is the one this library works with; `schema_version` where it is not.
pub(crate) fn check_schema(exec: &mut dyn Executor) -> Result<()> {
    match inspect(exec)? {
        Found::Current => Ok(()),
        Found::Behind(version) => Err(Error::new(
            ErrorCode::SchemaVersion,
            format!(
                "the schema is version {version}, this library needs {SCHEMA_VERSION}: open the store with migrate on, or run migration_sql()"
            ),
        )),
    }
}

/// Applies what is missing, in one transaction, while other processes wait; the version reached.
pub(crate) fn migrate(connection: &mut dyn Connection, schema: Option<&str>, now: Timestamp) -> Result<i64> {
    if let (Dialect::Postgres, Some(schema)) = (connection.dialect(), schema) {
        create_schema(connection, schema)?;
    }
    if inspect(connection)? == Found::Current {
        return Ok(SCHEMA_VERSION);
    }
    connection.begin(true)?;
    let applied = apply(connection, now);
    if applied.is_err() {
        connection.rollback();
        return applied;
    }
    match connection.commit()? {
        Commit::Done => applied,
        Commit::Unknown(error) => Err(error),
    }
}

/// Makes the schema where it is missing: a role that may not make one can still use one that is there.
fn create_schema(connection: &mut dyn Connection, schema: &str) -> Result<()> {
    if !connection.query("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", &[schema.into()])?.is_empty() {
        return Ok(());
    }
    match connection.batch(&format!("CREATE SCHEMA IF NOT EXISTS \"{schema}\"")) {
        // Another process made it between the question and the statement.
        Err(error) if error.code() == ErrorCode::Conflict => Ok(()),
        result => result,
    }
}

fn apply(connection: &mut dyn Connection, now: Timestamp) -> Result<i64> {
    let dialect = connection.dialect();
    if dialect == Dialect::Postgres {
        // DDL waits for nobody's statement timeout; one migrator a schema at a time.
        connection.batch("SET LOCAL statement_timeout = 0")?;
        connection.query(
            "SELECT pg_advisory_xact_lock(hashtextextended('sprongus_migrations:' || current_schema(), 0))",
            &[],
        )?;
    }
    let Found::Behind(version) = inspect(connection)? else {
        return Ok(SCHEMA_VERSION);
    };
    connection.batch(REGISTER)?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > version) {
        connection.batch(migration.sql(dialect))?;
        connection.execute(
            "INSERT INTO sprongus_migrations (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)",
            &[
                migration.version.into(),
                migration.name.into(),
                migration.checksum(dialect).into(),
                Value::from(now.to_string()),
            ],
        )?;
    }
    Ok(SCHEMA_VERSION)
}
