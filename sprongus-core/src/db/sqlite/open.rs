//! Opens one connection: every pragma set explicitly and read back (DESIGN.md §2 "SQLite").

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, Authorization};
use rusqlite::{Connection, OpenFlags};

use super::connection::SqliteConnection;
use super::errors::from_sqlite;
use super::opened::Opened;
use super::patience::{Patience, STEPS};
use super::place::not_writable;
use super::texts::{self, Texts};
use super::wal::WalWatch;
use super::{Place, SqliteSettings};
use crate::error::{Error, ErrorCode, Result};
use crate::fork::visit;
use crate::options::Durability;

/// SQLite below this has a race in resetting the write-ahead log that can corrupt the file.
const OLDEST: i32 = 3_051_003;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Writer,
    Reader,
}

/// Opens a connection to that place, by the deadline.
pub(super) fn open(
    place: &Place,
    role: Role,
    settings: &SqliteSettings,
    deadline: Instant,
) -> Result<SqliteConnection> {
    check_version(rusqlite::version_number(), rusqlite::version())?;
    let _visit = visit();
    let patience = Arc::new(Patience::new(settings.interrupt.clone()));
    patience.until(deadline);
    let (mut raw, opened) = match place {
        Place::Memory => (Connection::open_in_memory().map_err(from_sqlite)?, None),
        Place::File(path) => {
            let raw = Connection::open_with_flags(path, flags(role, settings)).map_err(from_sqlite)?;
            (raw, Some(Opened::new(path)))
        }
    };
    if let Place::File(path) = place
        && role == Role::Writer
        && !settings.read_only
        && raw.is_readonly("main").map_err(from_sqlite)?
    {
        // SQLite opens for reading what it may not write.
        return Err(not_writable(path));
    }
    let waiter = patience.clone();
    raw.busy_handler(Some(move |attempt| waiter.wait(attempt))).map_err(from_sqlite)?;
    let judge = patience.clone();
    raw.progress_handler(STEPS, Some(move || judge.is_over())).map_err(from_sqlite)?;
    let vacuuming = Arc::new(AtomicBool::new(false));
    harden(&mut raw, &vacuuming)?;
    configure(&raw, place, role, settings, deadline)?;
    raw.set_prepared_statement_cache_capacity(if settings.statement_cache { texts::MOST } else { 0 });
    let wal = match place {
        Place::File(path) if role == Role::Writer && !settings.read_only => Some(watch(&raw, path)?),
        _ => None,
    };
    Ok(SqliteConnection {
        raw,
        opened,
        patience,
        wal,
        texts: Texts::default(),
        waited: std::time::Duration::ZERO,
        broken: false,
        split: false,
        eases: false,
        eased: false,
        vacuuming,
        closing: None,
    })
}

/// Refuses a SQLite too old to be trusted with a shared log.
pub(super) fn check_version(number: i32, name: &str) -> Result<()> {
    if number >= OLDEST {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::Unsupported,
        format!(
            "SQLite {name} is too old: before 3.51.3 a reset of the write-ahead log can corrupt the file; use the bundled copy"
        ),
    ))
}

fn flags(role: Role, settings: &SqliteSettings) -> OpenFlags {
    let access = if settings.read_only || role == Role::Reader {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    } else {
        OpenFlags::SQLITE_OPEN_READ_WRITE
    };
    access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE
}

fn harden(raw: &mut Connection, vacuuming: &Arc<AtomicBool>) -> Result<()> {
    for (config, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        // Plans do not depend on bound values: else some statements are prepared anew for each.
        (DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
    ] {
        if raw.set_db_config(config, on).map_err(from_sqlite)? != on {
            return Err(Error::new(ErrorCode::Storage, "SQLite did not take a security setting"));
        }
    }
    // VACUUM INTO attaches the new file; nobody else attaches anything. (The limit stays 1: VACUUM needs it.)
    let vacuuming = vacuuming.clone();
    raw.authorizer(Some(move |context: rusqlite::hooks::AuthContext<'_>| match context.action {
        AuthAction::Attach { .. } | AuthAction::Unknown { code: rusqlite::ffi::SQLITE_ATTACH, .. }
            if !vacuuming.load(Ordering::Acquire) =>
        {
            Authorization::Deny
        }
        _ => Authorization::Allow,
    }))
    .map_err(from_sqlite)
}

fn configure(raw: &Connection, place: &Place, role: Role, settings: &SqliteSettings, deadline: Instant) -> Result<()> {
    if matches!(place, Place::File(_)) && role == Role::Writer && !settings.read_only {
        write_ahead(raw, deadline)?;
    }
    let synchronous = match settings.durability {
        Durability::Full => 2,
        Durability::Normal => 1,
    };
    // In KiB. A writer keeps an import's pages rather than write them out and read them again; a reader the keys of some
    // hundred thousand entries, of which a page looks some hundred up.
    let cache = -32_000;
    let wanted: &[(&str, i64)] = &[
        ("synchronous", synchronous),
        // macOS: there fsync(2) alone leaves what it wrote in the disk's cache.
        ("fullfsync", i64::from(settings.durability == Durability::Full)),
        ("checkpoint_fullfsync", 1),
        ("foreign_keys", 1),
        ("temp_store", 1),
        ("cache_size", cache),
        ("wal_autocheckpoint", 1000),
        ("journal_size_limit", 64 << 20),
        ("cell_size_check", 1),
        ("recursive_triggers", 1),
        ("query_only", i64::from(role == Role::Reader || settings.read_only)),
    ];
    for (pragma, value) in wanted {
        raw.pragma_update(None, pragma, value).map_err(from_sqlite)?;
        let got: i64 = raw.pragma_query_value(None, pragma, |row| row.get(0)).map_err(from_sqlite)?;
        if got != *value {
            return Err(Error::new(
                ErrorCode::Storage,
                format!("SQLite did not take PRAGMA {pragma}={value}; it says {got}"),
            ));
        }
    }
    raw.pragma_update(Some("temp"), "cache_size", -16_000).map_err(from_sqlite)?;
    if matches!(place, Place::File(_)) {
        raw.pragma_update(None, "mmap_size", 0).map_err(from_sqlite)?;
    }
    Ok(())
}

/// Switches to WAL. SQLite answers this one with "locked" at once, so that many processes starting together must try again.
fn write_ahead(raw: &Connection, deadline: Instant) -> Result<()> {
    loop {
        let tried: rusqlite::Result<String> =
            raw.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0));
        match tried.map_err(from_sqlite) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                return Err(Error::new(
                    ErrorCode::Unsupported,
                    format!("the file cannot use a write-ahead log (journal mode {mode})"),
                ));
            }
            Err(error) if error.code() == ErrorCode::Busy && Instant::now() < deadline => {
                std::thread::sleep(std::time::Duration::from_millis(5))
            }
            Err(error) => return Err(error),
        }
    }
}

/// The first read opens the log; only then has it an inode to remember.
fn watch(raw: &Connection, path: &Path) -> Result<WalWatch> {
    let _: i64 = raw.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(from_sqlite)?;
    Ok(WalWatch::new(path))
}
