//! Where a test's tables are on PostgreSQL: a schema of its own on the server that all share.

use postgres::{Client, NoTls};
use sprongus::{Dialect, Options, Store};
use sprongus_testkit::Postgres;

/// A host's connection that looks at a fresh schema of ours, in which a store has been opened and `fill`ed.
pub(crate) fn migrated(name: &str, fill: impl FnOnce(&Store)) -> Client {
    let (url, schema) = (Postgres::shared().url(), format!("{name}_{}", std::process::id()));
    fill(&Store::open(url, Options { schema: Some(schema.clone()), ..Options::default() }).unwrap());
    let mut host = Client::connect(url, NoTls).unwrap();
    host.batch_execute(&format!("SET search_path TO {schema}")).unwrap();
    host
}

/// Statistics of the tables of this schema alone: a look at the whole database takes those that another test is filling for
/// empty, and its plans read all of them.
pub(crate) fn analyze(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "ANALYZE",
        Dialect::Postgres => {
            "DO $$ DECLARE name text; BEGIN FOR name IN SELECT relname FROM pg_class \
             WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' \
             LOOP EXECUTE format('ANALYZE %I', name); END LOOP; END $$"
        }
    }
}
