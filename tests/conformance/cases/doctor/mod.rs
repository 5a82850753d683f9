//! The doctor: nothing to say of a store that is well, and each trouble by its name.

mod batches;
mod fix;
mod lent;
mod roles;
mod schema;
mod stored;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sprongus::aux_store::OnReferenced;
use sprongus::clock::testing::ManualClock;
use sprongus::doctor::{Finding, Report, Severity};
use sprongus::presets::BindPreset;
use sprongus::runs::approvals::Decide;
use sprongus::runs::{Claim, Enqueue, Rescue};
use sprongus::worker::{Context, Outcome};
use sprongus::{ErrorCode, Json, Options, Scope, Store, Timestamp, WorkerOptions, ops};
use sprongus_conformance::{Backend, Case, Env, Face};

use crate::aux_entries::bind;

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, covers, run| Case { name, covers, transactional: true, run };
    let alone = |name, covers, run| Case { name, covers, transactional: false, run };
    vec![
        alone("doctor::a_store_that_is_well_has_no_findings", &["store.doctor"], well),
        case("doctor::a_lent_connection_is_looked_at_too", &["store.doctor"], within),
        alone("doctor::dangling_references_are_found", &["store.doctor"], dangling),
        alone("doctor::tables_without_a_preset_are_found", &["store.doctor"], bindings),
        alone("doctor::what_is_changed_in_the_schema_is_found_and_mended", &["store.doctor"], schema::drift),
        alone("doctor::a_ruin_is_mended_step_by_step", &["store.doctor"], schema::ruin),
        alone("doctor::what_cannot_be_altered_comes_from_a_copy", &["store.doctor"], schema::by_hand),
        alone("doctor::stuck_runs_are_found_with_the_reason", &["store.doctor"], stuck),
        alone("doctor::it_takes_admin_and_writes_nothing", &["store.doctor"], admin),
        alone("doctor::a_bulk_write_that_died_is_found_and_undone", &["store.doctor"], batches::died),
        alone("doctor::a_clock_behind_is_found", &["store.doctor"], stored::clock),
        alone("doctor::what_cannot_be_read_is_found", &["store.doctor"], stored::unreadable),
        alone("doctor::deep_it_reads_every_artifact", &["store.doctor"], stored::artifacts),
        alone("doctor::settings_of_a_lent_connection_are_found_and_set", &["store.doctor"], lent::settings),
        alone("doctor::what_a_role_may_not_read_is_told", &["store.doctor"], roles::not_looked_at),
        alone("doctor::a_pool_larger_than_its_limit_is_found", &["store.doctor"], roles::pool),
        alone("doctor::who_does_not_hear_is_told", &["store.doctor"], roles::deaf),
        alone("doctor::the_server_is_looked_at", &["store.doctor"], server),
        alone("doctor::the_file_is_looked_at", &["store.doctor"], file),
    ]
}

fn report(store: &Store) -> Report {
    store.doctor().unwrap()
}

fn codes(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|one| one.code.as_str()).collect()
}

fn finding<'r>(report: &'r Report, code: &str) -> &'r Finding {
    let found = report.findings.iter().find(|one| one.code == code);
    found.unwrap_or_else(|| panic!("no {code} in {report:?}"))
}

/// What a test machine is like is not the store's.
fn of_the_store(mut report: Report) -> Report {
    report.findings.retain(|one| {
        !["disk_nearly_full", "few_connections_left", "old_transaction", "idle_in_transaction"]
            .contains(&one.code.as_str())
    });
    report.ok = report.findings.iter().all(|one| one.severity == Severity::Advice);
    report
}

fn well(env: &Env) {
    let store = env.open();
    assert_eq!(of_the_store(report(&store)), Report { ok: true, findings: vec![] });
    bind(Face::Store(&store), "boards", json!({"properties": {"cover": {"x-ref": "assets"}, "n": {"x-unique": true}}}));
    store.aux("p", "assets").create(json!({}), Some("x")).unwrap();
    store.aux("p", "boards").create(json!({"cover": "x", "n": 1}), Some("b")).unwrap();
    store.runs().enqueue(&Enqueue::new("mail.send", Json::null())).unwrap();
    assert_eq!(of_the_store(report(&store)), Report { ok: true, findings: vec![] });
    let door: Value = serde_json::from_str(&ops::call(&store, "store.doctor", b"{}").unwrap()).unwrap();
    assert!(door["ok"].is_boolean() && door["findings"].is_array());
}

fn within(env: &Env) {
    env.within(|on| {
        on.aux("storyboard").create(json!({"assetIds": ["gone"], "citationIds": []}), Some("r")).unwrap();
        let answer = match on {
            Face::Store(store) => ops::call(store, "store.doctor", b""),
            Face::Tx(tx) => ops::call(tx, "store.doctor", b""),
        };
        let report: Report = serde_json::from_str(&answer.unwrap()).unwrap();
        assert!(
            finding(&report, "dangling_refs").message.contains("assetIds[] of storyboard r (project p) to assets gone")
        );
        assert!(!report.ok);
    });
}

fn dangling(env: &Env) {
    let store = env.open();
    let (assets, rows) = (store.aux("p", "assets"), store.aux("p", "storyboard"));
    for n in 0..7 {
        assets.create(json!({}), Some(&format!("a{n}"))).unwrap();
        rows.create(json!({"assetIds": [format!("a{n}")], "citationIds": []}), Some(&format!("r{n}"))).unwrap();
    }
    assert!(!codes(&report(&store)).contains(&"dangling_refs"));
    (0..7).for_each(|n| drop(assets.delete(&format!("a{n}"), OnReferenced::Warn).unwrap()));
    let found = report(&store);
    let dangling = finding(&found, "dangling_refs");
    assert_eq!(dangling.severity, Severity::Warning);
    assert!(dangling.message.starts_with("7 references lead to no entry:"), "{}", dangling.message);
    assert!(dangling.message.ends_with("and 2 more"), "{}", dangling.message);
    (0..7).for_each(|n| drop(assets.restore(&format!("a{n}"), 1).unwrap()));
    assert!(!codes(&report(&store)).contains(&"dangling_refs"));
    // A preset bound anew: what it refers to is made by the next write.
    bind(Face::Store(&store), "boards", json!({"type": "object"}));
    store.aux("p", "boards").create(json!({"cover": "nobody"}), Some("b")).unwrap();
    bind(Face::Store(&store), "boards", json!({"properties": {"cover": {"x-ref": "assets"}}}));
    let found = of_the_store(report(&store));
    assert_eq!((codes(&found), found.ok), (vec!["references_not_made"], true));
    store.aux("p", "boards").create(json!({}), None).unwrap();
    assert_eq!(codes(&of_the_store(report(&store))), ["dangling_refs"]);
}

fn bindings(env: &Env) {
    let store = env.open();
    bind(Face::Store(&store), "works", json!({"type": "object"}));
    bind(Face::Store(&store), "films", json!({"type": "object"}));
    for (project, table) in [("p", "works"), ("q", "works"), ("q", "films"), ("q", "assets")] {
        store.aux(project, table).create(json!({}), None).unwrap();
    }
    store.execute("DELETE FROM sprongus_bindings WHERE name = 'works'", &[]).unwrap();
    store.execute("DELETE FROM sprongus_presets WHERE label = 'films'", &[]).unwrap();
    let found = report(&store);
    assert_eq!(codes(&of_the_store(found.clone())), ["missing_preset", "unbound_table"]);
    assert!(finding(&found, "missing_preset").message.ends_with("the table films"));
    assert!(finding(&found, "unbound_table").message.ends_with("works of the project p, works of the project q"));
    assert_eq!(finding(&found, "missing_preset").severity, Severity::Error);
    // Each is bound again, as it is told.
    assert!(finding(&found, "missing_preset").fix.starts_with("bind another preset (presets.bind"));
    bind(Face::Store(&store), "films", json!({"type": "object"}));
    assert_eq!(codes(&of_the_store(report(&store))), ["unbound_table"]);
    assert!(finding(&found, "unbound_table").fix.starts_with("bind a preset (presets.bind)"));
    let again = BindPreset { table: "works".into(), address: "works@1".into(), ..BindPreset::default() };
    store.presets().bind(&again).unwrap();
    assert_eq!(codes(&of_the_store(report(&store))), Vec::<&str>::new());
}

fn stuck(env: &Env) {
    let clock = Arc::new(ManualClock::new("2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap()));
    let store = env.open_with(Options { clock: clock.clone(), ..env.options() });
    let runs = store.runs();
    for _ in 0..3 {
        runs.enqueue(&Enqueue::new("mail.send", Json::null())).unwrap();
    }
    let gated = runs.enqueue(&Enqueue { needs_approval: true, ..Enqueue::new("deploy", Json::null()) }).unwrap();
    runs.enqueue(&Enqueue::new("held", Json::null())).unwrap();
    let claim = Claim { kinds: Some(vec!["held".into()]), ..Claim::new("w") };
    assert_eq!(runs.claim_next(&claim).unwrap().len(), 1);
    assert_eq!(codes(&of_the_store(report(&store))), Vec::<&str>::new());
    clock.advance(Duration::from_secs(8 * 86_400));
    let found = of_the_store(report(&store));
    assert_eq!(codes(&found), ["expired_leases", "stuck_runs", "old_approvals"]);
    let message = &finding(&found, "stuck_runs").message;
    assert!(message.starts_with("3 runs of the kind mail.send are due and not claimed"), "{message}");
    assert!(message.contains("start a worker that handles it"), "it says why: {message}");
    assert!(finding(&found, "expired_leases").message.contains("held by w under the lease 1, which ran out"));
    assert!(finding(&found, "old_approvals").message.starts_with("1 approvals wait"));
    // Each fix ends its finding.
    assert!(finding(&found, "stuck_runs").fix.starts_with("see that a worker handles the kind"));
    assert!(finding(&found, "expired_leases").fix.contains("or call runs.rescue"));
    assert_eq!(runs.rescue(&Rescue::default()).unwrap(), 1);
    let worker = store.worker(WorkerOptions::default()).unwrap();
    for kind in ["mail.send", "held"] {
        worker.handle(kind, |_: &Context| Ok(Outcome::Output(Json::null()))).unwrap();
    }
    worker.run_until_idle(Duration::ZERO).unwrap();
    let found = of_the_store(report(&store));
    assert_eq!(codes(&found), ["old_approvals"]);
    assert!(finding(&found, "old_approvals").fix.starts_with("approve or deny them"));
    store.approvals().deny(&Decide::new(&gated.id, "me")).unwrap();
    assert_eq!(codes(&of_the_store(report(&store))), Vec::<&str>::new());
}

fn admin(env: &Env) {
    let store = env.open();
    let scoped = store.scoped("p", Scope::DEFAULT).unwrap();
    assert_eq!(scoped.doctor().unwrap_err().code(), ErrorCode::PermissionDenied);
    store.scoped("p", &[Scope::Admin]).unwrap().doctor().unwrap();
    if env.backend() == Backend::SqliteMemory {
        return;
    }
    let reader = env.open_with(Options { read_only: true, ..env.options() });
    assert!(of_the_store(report(&reader)).ok, "a store opened to be read can be looked at");
    reader.close();
    assert_eq!(reader.doctor().unwrap_err().code(), ErrorCode::Misuse);
}

fn server(env: &Env) {
    let store = env.open();
    if env.backend() != Backend::Postgres {
        let no_server = codes(&report(&store)).iter().all(|code| !code.contains("transaction"));
        assert!(no_server, "SQLite has none");
        return;
    }
    store
        .transaction(|tx| {
            tx.execute("SET LOCAL synchronous_commit = off", &[])?;
            let report = ops::call(tx, "store.doctor", b"")?;
            assert!(report.contains("synchronous_commit"), "{report}");
            tx.execute("SET LOCAL synchronous_commit = on", &[])?;
            assert!(!ops::call(tx, "store.doctor", b"")?.contains("synchronous_commit"));
            Ok(())
        })
        .unwrap();
}

fn file(env: &Env) {
    let store = env.open();
    if env.backend() != Backend::SqliteFile {
        assert!(!codes(&report(&store)).contains(&"file_mode"));
        return;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(env.url(), std::fs::Permissions::from_mode(0o644)).unwrap();
        let found = of_the_store(report(&store));
        assert_eq!((codes(&found), found.ok), (vec!["file_mode"], true));
        let (_, command) = found.findings[0].fix.split_once(": ").unwrap();
        assert!(std::process::Command::new("sh").args(["-c", command]).status().unwrap().success(), "{command}");
        assert_eq!(of_the_store(report(&store)).findings, []);
    }
    // A log that nobody resets: a file as large, for nothing else is looked at.
    let wal = std::fs::OpenOptions::new().write(true).open(format!("{}-wal", env.url())).unwrap();
    let length = wal.metadata().unwrap().len();
    wal.set_len(200 << 20).unwrap();
    let found = report(&store);
    wal.set_len(length).unwrap();
    let long = finding(&found, "long_wal");
    assert!(long.severity == Severity::Warning && long.message.contains("200 MiB"), "{}", long.message);
}
