//! Row-level security on PostgreSQL beneath scoped handles: the policies, and who is granted what (docs/scopes.md).
//!
//! Two walls. A role sees the projects that `sprongus_row_grants` names for it, whatever SQL it runs. Within them, a scoped
//! handle says by the setting `sprongus.project` whose it is, for the time of a transaction, and sees that one alone.

use super::{Connection, Dialect, Executor};
use crate::error::{Error, ErrorCode, Result};

/// What the rows of a table belong to.
enum Rows {
    /// The project of that SQL expression; `''` and NULL are those of none.
    Of(&'static str),
    /// As [`Rows::Of`], and what is for all projects is seen by all.
    OfOrForAll(&'static str),
    /// Whatever the row of another table belongs to, under that condition.
    With(&'static str),
    /// The store: all may read them, and a role that has all projects may write them.
    Store,
    /// The store; claims of every project keep its buckets.
    Kept,
}

use Rows::{Kept, Of, OfOrForAll, Store, With};

const PROJECT: Rows = Of("project_id");
const OF_ITS_RUN: Rows = With("EXISTS (SELECT 1 FROM sprongus_runs AS r WHERE r.id = run_id)");
const OF_ITS_TABLE: Rows = With("EXISTS (SELECT 1 FROM sprongus_search_tables AS t WHERE t.number = table_number)");

const TABLES: &[(&str, Rows)] = &[
    ("sprongus_approvals", PROJECT),
    ("sprongus_artifacts", PROJECT),
    ("sprongus_aux_entries", PROJECT),
    ("sprongus_aux_keys", PROJECT),
    ("sprongus_aux_refs", PROJECT),
    ("sprongus_aux_versions", PROJECT),
    ("sprongus_bindings", OfOrForAll("project_id")),
    ("sprongus_config", PROJECT),
    ("sprongus_events", PROJECT),
    ("sprongus_inbox", PROJECT),
    ("sprongus_kind_limits", Kept),
    ("sprongus_migrations", Store),
    ("sprongus_presets", Store),
    ("sprongus_projects", Of("id")),
    ("sprongus_providers", Store),
    ("sprongus_rates", PROJECT),
    ("sprongus_run_steps", OF_ITS_RUN),
    ("sprongus_runs", PROJECT),
    ("sprongus_schedules", PROJECT),
    ("sprongus_search_marks", PROJECT),
    ("sprongus_search_tables", PROJECT),
    ("sprongus_search_texts", OF_ITS_TABLE),
    ("sprongus_sync_entries", PROJECT),
    ("sprongus_syncs", PROJECT),
    ("sprongus_tables", Store),
];

/// Views are read with their owner's eyes unless told otherwise.
const VIEWS: &[&str] = &["sprongus_aux_seen"];

/// The oldest server whose views can look with the eyes of whoever asks (PostgreSQL 15: `security_invoker`).
const OLDEST: i64 = 150_000;

const GRANTS: &str = "CREATE TABLE IF NOT EXISTS sprongus_row_grants (role_name TEXT NOT NULL, \
    project_id TEXT COLLATE \"C\" NOT NULL, PRIMARY KEY (role_name, project_id))";

/// SQL: the projects of the role that asks, `*` for all; read once a statement.
const GRANTED: &str = "(ARRAY (SELECT g.project_id FROM sprongus_row_grants AS g WHERE g.role_name = current_user))";
/// SQL: the project of the handle that asks, `''` where it has none.
const HANDLE: &str = "coalesce((SELECT current_setting('sprongus.project', true)), '')";

impl Rows {
    /// Who reads a row, who changes it, and who adds or removes it.
    fn rules(&self) -> [String; 3] {
        let all = || "TRUE".to_owned();
        let store = || format!("'*' = ANY {GRANTED} AND {HANDLE} = ''");
        match self {
            Of(project) => [of(project), of(project), of(project)],
            OfOrForAll(project) => {
                [format!("coalesce({project}, '') = '' OR ({})", of(project)), of(project), of(project)]
            }
            With(row) => [(*row).to_owned(), (*row).to_owned(), (*row).to_owned()],
            Store => [all(), store(), store()],
            Kept => [all(), format!("cardinality({GRANTED}) > 0"), store()],
        }
    }
}

fn of(project: &str) -> String {
    let project = format!("coalesce({project}, '')");
    format!("({project} = ANY {GRANTED} OR '*' = ANY {GRANTED}) AND ({HANDLE} = '' OR {project} = {HANDLE})")
}

/// Makes the policies of all tables, anew where they are there; one transaction.
pub(crate) fn enable(connection: &mut dyn Connection) -> Result<()> {
    let mut sql = format!("{GRANTS}; ALTER TABLE sprongus_row_grants ENABLE ROW LEVEL SECURITY;");
    policy(&mut sql, "sprongus_row_grants", "SELECT", "USING (role_name = current_user)");
    for (table, rows) in TABLES {
        let [read, change, write] = rows.rules();
        sql.push_str(&format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"));
        policy(&mut sql, table, "SELECT", &format!("USING ({read})"));
        policy(&mut sql, table, "INSERT", &format!("WITH CHECK ({write})"));
        policy(&mut sql, table, "UPDATE", &format!("USING ({change}) WITH CHECK ({change})"));
        policy(&mut sql, table, "DELETE", &format!("USING ({write})"));
    }
    for view in VIEWS {
        sql.push_str(&format!("ALTER VIEW {view} SET (security_invoker = true);"));
    }
    in_transaction(connection, |connection| connection.batch(&sql))
}

fn policy(sql: &mut String, table: &str, command: &str, rule: &str) {
    let name = format!("sprongus_{}", command.to_ascii_lowercase());
    sql.push_str(&format!(
        "DROP POLICY IF EXISTS {name} ON {table}; CREATE POLICY {name} ON {table} FOR {command} {rule};"
    ));
}

/// Lets a role see those projects and no others, by whatever SQL; `*` is all of them, none takes everything back.
pub(crate) fn grant(connection: &mut dyn Connection, role: &str, projects: &[&str]) -> Result<()> {
    in_transaction(connection, |connection| {
        let there =
            "SELECT quote_ident(rolname), quote_ident(current_schema()) FROM pg_catalog.pg_roles WHERE rolname = $1";
        let rows = connection.query(there, &[role.into()])?;
        let row = rows.first().ok_or_else(|| Error::not_found(format!("there is no role {role:?}")))?;
        connection.batch(&privileges(&row.text(0)?, &row.text(1)?, !projects.is_empty()))?;
        connection.execute("DELETE FROM sprongus_row_grants WHERE role_name = $1", &[role.into()])?;
        for project in projects {
            let sql = "INSERT INTO sprongus_row_grants (role_name, project_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
            connection.execute(sql, &[role.into(), (*project).into()])?;
        }
        Ok(())
    })
}

/// Which rows is for the policies to say; here is which tables.
fn privileges(role: &str, schema: &str, give: bool) -> String {
    let (verb, to) = if give { ("GRANT", "TO") } else { ("REVOKE", "FROM") };
    let tables: Vec<&str> =
        TABLES.iter().map(|(table, _)| *table).filter(|table| *table != "sprongus_migrations").collect();
    let read = [VIEWS, &["sprongus_migrations", "sprongus_row_grants"]].concat();
    let mut sql = format!(
        "{verb} SELECT, INSERT, UPDATE, DELETE ON {} {to} {role}; {verb} SELECT ON {} {to} {role}; \
         {verb} USAGE, SELECT, UPDATE ON SEQUENCE sprongus_positions {to} {role};",
        tables.join(", "),
        read.join(", ")
    );
    if give {
        sql.push_str(&format!("GRANT USAGE ON SCHEMA {schema} TO {role};"));
    }
    sql
}

fn in_transaction(connection: &mut dyn Connection, work: impl FnOnce(&mut dyn Connection) -> Result<()>) -> Result<()> {
    check_server(connection)?;
    connection.begin(true)?;
    if let Err(error) = work(connection) {
        connection.rollback();
        return Err(error);
    }
    match connection.commit()? {
        super::Commit::Done => Ok(()),
        super::Commit::Unknown(error) => Err(error),
    }
}

fn check_server(exec: &mut dyn Executor) -> Result<()> {
    if exec.dialect() == Dialect::Sqlite {
        return Err(Error::new(ErrorCode::Unsupported, "row-level security is PostgreSQL's: SQLite has no roles"));
    }
    let rows = exec.query("SELECT current_setting('server_version_num')::int", &[])?;
    match rows.first().map_or(Ok(0), |row| row.int(0))? {
        OLDEST.. => Ok(()),
        _ => Err(Error::new(ErrorCode::Unsupported, "row-level security needs PostgreSQL 15 or newer")),
    }
}

/// Refuses a role that the policies do not bind, or a schema that lacks some.
pub(crate) fn check(exec: &mut dyn Executor) -> Result<()> {
    check_server(exec)?;
    let tables: Vec<String> = TABLES.iter().map(|(table, _)| format!("'{table}'")).collect();
    let sql = format!(
        "SELECT t FROM unnest(ARRAY [{}]) AS t WHERE NOT row_security_active(to_regclass(t)) ORDER BY t LIMIT 1",
        tables.join(", ")
    );
    let rows = exec.query(&sql, &[])?;
    let Some(row) = rows.first() else { return Ok(()) };
    let message = format!(
        "row_security was asked for, and {} has none for this role: let the tables' owner call enable_row_security, and open \
         the store as a role that neither owns them nor bypasses it",
        row.text(0)?
    );
    Err(Error::new(ErrorCode::Unsupported, message))
}
