//! The pre-filter: the ids of all entries that may hold a term, where they are few.

use super::Search;
use crate::aux_store::rows::Place;
use crate::db::{Dialect, Executor, Row, Value};
use crate::error::Result;

/// Of more than so many candidates a page of hits is found sooner by walking.
const MOST: usize = 2_048;
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
    let Some(query) = trigrams(term) else { return Ok(None) };
    let registered =
        "SELECT number FROM sprongus_search_tables WHERE project_id = $1 AND table_name = $2 AND fingerprint = $3";
    let known = [Value::from(place.project), place.table.into(), fingerprint.into()];
    let Some(number) = exec.query(registered, &known)?.first().map(|row| row.int(0)).transpose()? else {
        return Ok(None);
    };
    let may = may_hold("instr", fingerprint);
    let sql = format!(
        "SELECT NULL FROM sprongus_search_tables WHERE project_id = $1 AND table_name = $2 AND fingerprint = $3 \
         UNION ALL SELECT s.entry_id FROM sprongus_search f CROSS JOIN sprongus_search_texts s ON s.number = f.rowid \
         WHERE f.sprongus_search MATCH $5 AND f.rowid BETWEEN $6 AND $7 \
         UNION ALL SELECT e.id FROM sprongus_search_marks m CROSS JOIN sprongus_aux_entries e \
         ON e.project_id = $1 AND e.table_name = $2 AND e.last_updated = m.at AND e.id > m.after_id \
         WHERE m.project_id = $1 AND m.table_name = $2 AND {may} \
         UNION ALL SELECT e.id FROM sprongus_search_tables t CROSS JOIN sprongus_aux_entries e \
         ON e.project_id = $1 AND e.table_name = $2 AND e.id > t.filled_to \
         WHERE t.project_id = $1 AND t.table_name = $2 AND {may} LIMIT {}",
        MOST + 2
    );
    let (first, last) = numbers(number);
    let params = [&known[..], &[term.into(), query.into(), first.into(), last.into()]].concat();
    ids(&exec.query(&sql, &params)?)
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
    let may = may_hold("strpos", fingerprint);
    let sql = format!(
        "WITH t AS MATERIALIZED (SELECT number, filled_to FROM sprongus_search_tables \
         WHERE project_id = $1 AND table_name = $2 AND fingerprint = $3), \
         found AS MATERIALIZED (SELECT entry_id FROM sprongus_search_texts \
         WHERE text LIKE $5 AND table_number = (SELECT number FROM t)) \
         SELECT NULL::text FROM t UNION ALL SELECT entry_id FROM found \
         UNION ALL SELECT e.id FROM sprongus_search_marks m CROSS JOIN LATERAL (SELECT id, search_text FROM sprongus_aux_entries \
         WHERE project_id = $1 AND table_name = $2 AND last_updated = m.at AND id > m.after_id OFFSET 0) e \
         WHERE m.project_id = $1 AND m.table_name = $2 AND {may} \
         UNION ALL SELECT e.id FROM t CROSS JOIN LATERAL (SELECT id, search_text FROM sprongus_aux_entries \
         WHERE project_id = $1 AND table_name = $2 AND id > t.filled_to OFFSET 0) e WHERE {may} LIMIT {}",
        MOST + 2
    );
    let params =
        [place.project.into(), place.table.into(), fingerprint.into(), term.into(), Value::from(pattern(term))];
    ids(&exec.query(&sql, &params)?)
}

/// The first row, without an id, says that the pre-filter is of this table and these fields: asked by the same statement, for
/// a transaction that is read committed sees another state with each.
fn ids(rows: &[Row]) -> Result<Option<Vec<String>>> {
    let ids = rows.iter().map(|row| row.opt_text(0)).collect::<Result<Vec<_>>>()?;
    let usable = ids.iter().any(Option::is_none) && ids.len() <= MOST + 1;
    Ok(usable.then(|| ids.into_iter().flatten().collect()))
}

/// An entry that is not folded in and may hold the term `$4`; its stored text may be of other fields than `$3`.
fn may_hold(find: &str, fingerprint: &str) -> String {
    let length = fingerprint.chars().count();
    format!("(e.search_text IS NULL OR substr(e.search_text, 1, {length}) <> $3 OR {find}(e.search_text, $4) > 0)")
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
