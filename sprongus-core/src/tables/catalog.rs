//! The catalog: which custom tables there are, remembered for as long as it is so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::Tables;
use super::ident::{check, key};
use super::table::Table;
use crate::db::{Executor, is_outdated};
use crate::error::{Error, ErrorCode, Result};
use crate::json::Json;
use crate::session::locked;

/// How often a call is begun anew because another process changed the table under it.
const TRIES: usize = 8;

/// The tables that calls of this process have met. Not told of changes: each statement checks for itself.
#[derive(Default)]
struct Known(Mutex<HashMap<String, Arc<Table>>>);

/// How a call on a table ended.
pub(super) enum Answer<T> {
    /// The statement itself saw that the table is the one that was meant.
    Sure(T),
    /// An answer, unless the table has changed.
    IfCurrent(T),
    /// Something was in the way that is gone: once more.
    Again,
}

impl Tables<'_> {
    /// Runs a call on a table. What is known of the table may be out of date: an error, or an answer that does not rule that
    /// out, is given only where the catalog still has the table that the call was made for.
    pub(super) fn on<T>(&self, name: &str, call: impl Fn(&Table) -> Result<Answer<T>>) -> Result<T> {
        check("a custom table", name)?;
        let key = key(name);
        let mut table = self.known(&key).map_or_else(|| self.load(&key), Ok)?;
        for _ in 0..TRIES {
            let result = match call(&table) {
                Ok(Answer::Sure(value)) => return Ok(value),
                Err(error) if !may_be_stale(&error) => return Err(error),
                result => result,
            };
            let generation = self.session.read(|exec| generation(exec, &key))?;
            match result {
                _ if generation.as_ref() != Some(&table.generation) => table = self.load(&key)?,
                Ok(Answer::IfCurrent(value)) => return Ok(value),
                // A statement of an open transaction that was prepared before the table changed: it is prepared anew.
                Err(error) if !is_outdated(&error) => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        Err(Error::new(
            ErrorCode::Busy,
            format!("the table {} was changed again and again meanwhile", table.schema.name),
        ))
    }

    fn known(&self, key: &str) -> Option<Arc<Table>> {
        locked(&self.session.core().shared::<Known>().0).get(key).cloned()
    }

    /// Keeps no table that is gone.
    pub(super) fn forget(&self, key: &str) {
        locked(&self.session.core().shared::<Known>().0).remove(key);
    }

    fn load(&self, key: &str) -> Result<Arc<Table>> {
        let known = self.session.core().shared::<Known>();
        let Some(table) = self.session.read(|exec| find(exec, key))? else {
            self.forget(key);
            return Err(missing(key));
        };
        let table = Arc::new(table);
        locked(&known.0).insert(key.to_owned(), table.clone());
        Ok(table)
    }
}

/// Whether an error may come from what is known of the table rather than from the call.
fn may_be_stale(error: &Error) -> bool {
    use ErrorCode as E;
    is_outdated(error)
        || matches!(
            error.code(),
            E::Validation | E::InvalidArgument | E::NotFound | E::Conflict | E::TooLarge | E::Unsupported | E::Storage
        )
}

/// `not_found`: the host's own tables are not in the catalog.
pub(super) fn missing(name: &str) -> Error {
    Error::not_found(format!("there is no custom table {name}; tables.create makes one"))
}

/// The table of that name in lower case, as the catalog has it.
pub(super) fn find(exec: &mut dyn Executor, key: &str) -> Result<Option<Table>> {
    let sql = "SELECT definition, generation FROM sprongus_tables WHERE key = $1";
    let rows = exec.query(sql, &[key.into()])?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(Table::new(schema(&row.json(0)?)?, row.text(1)?)))
}

fn schema(definition: &Json) -> Result<super::TableSchema> {
    serde_json::from_str(definition.as_str())
        .map_err(|error| Error::new(ErrorCode::Corrupt, "the catalog holds what is no schema").with_source(error))
}

fn generation(exec: &mut dyn Executor, key: &str) -> Result<Option<String>> {
    let rows = exec.query("SELECT generation FROM sprongus_tables WHERE key = $1", &[key.into()])?;
    rows.first().map(|row| row.text(0)).transpose()
}

/// The names of all tables, in order.
pub(super) fn names(exec: &mut dyn Executor) -> Result<Vec<String>> {
    exec.query("SELECT name FROM sprongus_tables ORDER BY name", &[])?.iter().map(|row| row.text(0)).collect()
}
