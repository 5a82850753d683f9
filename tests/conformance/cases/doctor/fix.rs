//! Fixes as they are told: each is applied word for word.

use sprongus::Store;
use sprongus::doctor::{Finding, Report};

/// The statements of a fix: what follows its last colon, or all of it.
pub(super) fn statements(fix: &str) -> Vec<&str> {
    let starts = |sql: &str| {
        ["ALTER ", "CREATE ", "DELETE ", "DROP ", "INSERT ", "PRAGMA ", "SELECT ", "UPDATE "]
            .iter()
            .any(|word| sql.starts_with(word))
    };
    let sql = fix.rmatch_indices(": ").map(|(at, _)| &fix[at + 2..]).find(|sql| starts(sql)).unwrap_or(fix);
    assert!(starts(sql), "it tells no statement: {fix}");
    sql.split("; ").collect()
}

/// Runs the statements of a fix.
pub(super) fn apply(store: &Store, finding: &Finding) {
    for sql in statements(&finding.fix) {
        run(store, sql);
    }
}

pub(super) fn run(store: &Store, sql: &str) {
    store.execute(sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Does what it is told, over and over, until there is nothing more to do.
pub(super) fn obey(store: &Store, look: impl Fn(&Store) -> Report) {
    for _ in 0..4 {
        let report = look(store);
        if report.findings.is_empty() {
            return;
        }
        // What cannot be looked at waits for the rest.
        report.findings.iter().filter(|one| one.code != "not_looked_at").for_each(|one| apply(store, one));
    }
    panic!("it is never content: {:?}", look(store));
}
