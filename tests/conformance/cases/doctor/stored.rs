//! What is stored: times to come, what cannot be read, contents that changed.

use std::sync::Arc;
use std::time::Duration;

use sprongus::artifacts::PutArtifact;
use sprongus::clock::testing::ManualClock;
use sprongus::doctor::{Examine, Report, Severity};
use sprongus::runs::Enqueue;
use sprongus::{Json, Options, Store, Timestamp};
use sprongus_conformance::{Backend, Env};

use super::fix::apply;
use super::{codes, finding, of_the_store, report};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn clock(env: &Env) {
    let clock = Arc::new(ManualClock::new(time("2026-01-02T00:00:00Z")));
    let store = env.open_with(Options { clock: clock.clone(), ..env.options() });
    store.runs().enqueue(&Enqueue::new("k", Json::null())).unwrap();
    clock.set(time("2026-01-01T23:59:30Z"));
    assert_eq!(of_the_store(report(&store)).findings, [], "half a minute is no trouble");
    clock.set(time("2026-01-01T22:00:00Z"));
    let found = of_the_store(report(&store));
    assert_eq!(codes(&found), ["clock_behind"]);
    assert!(found.findings[0].message.contains("7200 s later"), "{}", found.findings[0].message);
    assert!(found.findings[0].fix.starts_with("set the clock"));
    clock.set(time("2026-01-02T00:00:01Z"));
    assert_eq!(of_the_store(report(&store)).findings, []);
    clock.advance(Duration::from_secs(1));
}

/// PostgreSQL has types for what SQLite keeps as text.
pub(super) fn unreadable(env: &Env) {
    let store = env.open();
    let run = store.runs().enqueue(&Enqueue::new("k", Json::null())).unwrap();
    if env.backend() == Backend::Postgres {
        return assert_eq!(of_the_store(report(&store)).findings, []);
    }
    let set = |time: &str| {
        let sql = "UPDATE sprongus_runs SET run_at = $2 WHERE id = $1";
        store.execute(sql, &[run.id.as_str().into(), time.into()]).unwrap();
    };
    set("yesterday");
    let found = of_the_store(report(&store));
    let one = finding(&found, "corrupt");
    assert!(
        one.severity == Severity::Error && one.message.contains(&format!("the run {}: column run_at", run.id)),
        "{}",
        one.message
    );
    assert!(one.fix.contains("correct what is named"), "{}", one.fix);
    set(&run.run_at.to_string());
    assert_eq!(of_the_store(report(&store)).findings, []);
}

pub(super) fn artifacts(env: &Env) {
    let store = env.open();
    let deep = |store: &Store| -> Report {
        let mut found = of_the_store(store.examine(&Examine { deep: true }).unwrap());
        // Whether amcheck is there is the server's.
        found.findings.retain(|one| one.code != "not_looked_at");
        found
    };
    let put = |key: &str| store.artifacts().put(&PutArtifact::text("report", key, "whole")).unwrap();
    let made = [put("a"), put("it's"), put("c")];
    assert_eq!(deep(&store).findings, []);
    let damage = "UPDATE sprongus_artifacts SET content = $1 WHERE logical_key <> 'c'";
    store.execute(damage, &[b"other".as_slice().into()]).unwrap();
    assert_eq!(of_the_store(report(&store)).findings, [], "it takes a deep look");
    let found = deep(&store);
    assert_eq!(codes(&found), ["corrupt"]);
    for one in &made[..2] {
        assert!(found.findings[0].message.contains(&format!("{} (report {})", one.id, one.key)));
    }
    assert!(!found.findings[0].message.contains(&made[2].id));
    apply(&store, &found.findings[0]);
    assert_eq!(deep(&store).findings, []);
}
