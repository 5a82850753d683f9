//! The pre-filter: the ids of all entries that may hold a term, where they are few.

use super::Search;
use crate::aux_store::rows::Place;
use crate::db::{Dialect, Executor, Row, Value};
use crate::error::Result;

/// Of more than so many candidates a page of hits is found sooner by walking.
const MOST: usize = 2_048;
/// The row that says that all stands, the most candidates, and one more.
const LIMIT: usize = MOST + 2;
/// Trigrams that are asked for, of a long term some: each narrows, and each is read.
const TRIGRAMS: usize = 16;

/// Every entry that the search may match, by id and more; `None` where the table has to be walked.
pub(in crate::aux_store) fn candidates(
    exec: &mut dyn Executor,
    place: Place<'_>,
    search: &Search,
    fingerprint: &str,
) -> Result<Option<Vec<String>>> {
    if fingerprint.is_empty() || search.matches_text("").is_none() {
        return Ok(None);
    }
    match exec.dialect() {
        Dialect::Sqlite => on_sqlite(exec, place, search.folded(), fingerprint).or_else(|error| {
            // A host's SQLite without FTS5, a table that somebody dropped: what a walk finds is the same.
            tracing::debug!(code = %error.code(), "the pre-filter of searches cannot be asked; the table is walked");
            Ok(None)
        }),
        Dialect::Postgres => on_postgres(exec, place, search.folded(), fingerprint),
    }
}

fn on_sqlite(exec: &mut dyn Executor, place: Place<'_>, term: &str, fingerprint: &str) -> Result<Option<Vec<String>>> {
    let (Some(query), Some(known)) = (trigrams(term), Known::of(exec, place, fingerprint)?) else { return Ok(None) };
    let (first, last) = numbers(known.number);
    let may = may_hold("instr", fingerprint);
    let sql = format!(
        "SELECT NULL FROM sprongus_search_tables WHERE {STANDS} AND filled_to IS $4 \
         UNION ALL SELECT s.entry_id FROM sprongus_search f CROSS JOIN sprongus_search_texts s ON s.number = f.rowid \
         WHERE f.sprongus_search MATCH $6 AND f.rowid BETWEEN $7 AND $8 \
         UNION ALL SELECT e.id FROM sprongus_search_marks m CROSS JOIN sprongus_aux_entries e \
         ON e.project_id = $1 AND e.table_name = $2 AND e.last_updated = m.at AND e.id > m.after_id \
         WHERE m.project_id = $1 AND m.table_name = $2 AND {may} \
         {} LIMIT {LIMIT}",
        known.rest(&may)
    );
    let asked = [term.into(), query.into(), first.into(), last.into()];
    ids(&exec.query(&sql, &[&known.params(place, fingerprint)[..], &asked].concat())?)
}

fn on_postgres(
    exec: &mut dyn Executor,
    place: Place<'_>,
    term: &str,
    fingerprint: &str,
) -> Result<Option<Vec<String>>> {
    // What could fail must not be tried: it would take a host's transaction with it.
    let usable = "SELECT to_regclass('sprongus_search_trigrams') IS NOT NULL \
                  AND has_table_privilege('sprongus_search_tables', 'SELECT') \
                  AND has_table_privilege('sprongus_search_marks', 'SELECT') \
                  AND has_table_privilege('sprongus_search_texts', 'SELECT'), \
                  (SELECT datctype IN ('C', 'POSIX') FROM pg_catalog.pg_database WHERE datname = current_database())";
    let rows = exec.query(usable, &[])?;
    let Some(usable) = rows.first() else { return Ok(None) };
    if !usable.bool(0)? || !has_word(term, usable.bool(1)?) {
        return Ok(None);
    }
    let Some(known) = Known::of(exec, place, fingerprint)? else { return Ok(None) };
    let may = may_hold("strpos", fingerprint);
    // Each branch is fenced: what it looks up is not to be weighed against reading all of a table.
    let sql = format!(
        "WITH found AS MATERIALIZED (SELECT entry_id FROM sprongus_search_texts WHERE text LIKE $6 AND table_number = $7) \
         SELECT NULL::text FROM sprongus_search_tables WHERE {STANDS} AND filled_to IS NOT DISTINCT FROM $4 \
         UNION ALL SELECT entry_id FROM found \
         UNION ALL SELECT e.id FROM sprongus_search_marks m CROSS JOIN LATERAL (SELECT id, search_text FROM sprongus_aux_entries \
         WHERE project_id = $1 AND table_name = $2 AND last_updated = m.at AND id > m.after_id OFFSET 0) e \
         WHERE m.project_id = $1 AND m.table_name = $2 AND {may} \
         {} LIMIT {LIMIT}",
        known.rest(&may)
    );
    let asked = [term.into(), pattern(term).into(), known.number.into()];
    ids(&exec.query(&sql, &[&known.params(place, fingerprint)[..], &asked].concat())?)
}

/// The row of the table `$1`, `$2` with the fields `$3`.
const STANDS: &str = "project_id = $1 AND table_name = $2 AND fingerprint = $3";

/// A table's pre-filter as it was a moment ago.
struct Known {
    number: i64,
    filled_to: Option<String>,
}

impl Known {
    fn of(exec: &mut dyn Executor, place: Place<'_>, fingerprint: &str) -> Result<Option<Self>> {
        let sql = format!("SELECT number, filled_to FROM sprongus_search_tables WHERE {STANDS}");
        let rows = exec.query(&sql, &[place.project.into(), place.table.into(), fingerprint.into()])?;
        rows.first().map(|row| Ok(Self { number: row.int(0)?, filled_to: row.opt_text(1)? })).transpose()
    }

    /// The entries that the first filling has not come to; no plan is to be made for them where there are none.
    fn rest(&self, may: &str) -> String {
        let rest = "UNION ALL SELECT e.id FROM sprongus_aux_entries e WHERE e.project_id = $1 AND e.table_name = $2";
        self.filled_to.as_ref().map_or_else(String::new, |_| format!("{rest} AND e.id > $4 AND {may}"))
    }

    /// `$1` to `$4`.
    fn params<'v>(&self, place: Place<'v>, fingerprint: &'v str) -> [Value<'v>; 4] {
        [place.project.into(), place.table.into(), fingerprint.into(), self.filled_to.clone().into()]
    }
}

/// The first row, without an id, says that the pre-filter is as it was known: asked by the same statement, for a transaction
/// that is read committed sees another state with each.
fn ids(rows: &[Row]) -> Result<Option<Vec<String>>> {
    let ids = rows.iter().map(|row| row.opt_text(0)).collect::<Result<Vec<_>>>()?;
    let usable = ids.iter().any(Option::is_none) && ids.len() <= MOST + 1;
    Ok(usable.then(|| ids.into_iter().flatten().collect()))
}

/// An entry that is not folded in and may hold the term `$5`; its stored text may be of other fields than `$3`.
fn may_hold(find: &str, fingerprint: &str) -> String {
    let length = fingerprint.chars().count();
    format!("(e.search_text IS NULL OR substr(e.search_text, 1, {length}) <> $3 OR {find}(e.search_text, $5) > 0)")
}

/// The numbers that the texts of a table have on SQLite: a range each, so that a term is looked up in one table's alone.
pub(super) fn numbers(table: i64) -> (i64, i64) {
    let first = table.saturating_mul(1 << 32);
    (first, first.saturating_add((1 << 32) - 1))
}

/// An FTS5 query for the term's trigrams; `None` where it has none. They need not follow one another in what it finds.
fn trigrams(term: &str) -> Option<String> {
    let chars: Vec<char> = term.chars().collect();
    let step = chars.len().div_ceil(TRIGRAMS).max(1);
    let windows: Vec<&[char]> = chars.windows(3).collect();
    let last = windows.last()?;
    let chosen = windows.iter().step_by(step).chain([last]);
    let quoted = chosen.map(|three| format!("\"{}\"", three.iter().collect::<String>().replace('"', "\"\"")));
    Some(quoted.collect::<Vec<_>>().join(" AND "))
}

/// A pattern for LIKE in which nothing but the ends is one.
fn pattern(term: &str) -> String {
    format!("%{}%", term.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_"))
}

/// Whether pg_trgm finds a trigram in the term: it knows letters and digits only, in the locale C those of ASCII. Without one
/// it would read all of its index.
fn has_word(term: &str, ascii: bool) -> bool {
    let known = |c: char| if ascii { c.is_ascii_alphanumeric() } else { c.is_alphanumeric() };
    term.split(|c| !known(c)).any(|word| word.chars().nth(2).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_asked_for_by_their_trigrams() {
        assert_eq!(trigrams("ab"), None);
        assert_eq!(trigrams("a\"é").as_deref(), Some("\"a\"\"é\" AND \"a\"\"é\""));
        let long = trigrams(&"abcdefghij".repeat(50)).unwrap_or_default();
        assert!(long.matches(" AND ").count() <= TRIGRAMS && long.ends_with("\"hij\""));
    }

    #[test]
    fn patterns_are_the_term_itself() {
        assert_eq!(pattern(r"5%_\"), r"%5\%\_\\%");
        assert!(has_word("a-bcd", true) && !has_word("ab-cd", true));
        assert!(has_word("улица", false) && !has_word("улица", true) && !has_word("%%%", false));
    }
}
