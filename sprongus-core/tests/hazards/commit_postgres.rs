//! PostgreSQL: the answer to COMMIT gets lost.

use sprongus::runs::Enqueue;
use sprongus::{ErrorCode, Json, Options, Store};
use sprongus_testkit::{Postgres, Proxy, When};

use super::{create, stored};

fn open(proxy: &Proxy, schema: &str) -> Store {
    let options = Options { schema: Some(schema.to_owned()), ..Options::default() };
    Store::open(&proxy.url(), options).unwrap()
}

#[test]
fn a_commit_that_took_effect_is_found_by_its_event() {
    let proxy = Proxy::before(Postgres::shared());
    let store = open(&proxy, "lost_after");
    proxy.cut_on_commit(When::After);
    let preset = create(&store, "kept").unwrap();
    assert_eq!(proxy.fired().statements, 1);
    assert_eq!(stored(&store, "kept"), 1);
    assert_eq!(store.presets().get("kept").unwrap().id, preset.id);
}

#[test]
fn a_commit_that_never_arrived_is_done_again_once() {
    let proxy = Proxy::before(Postgres::shared());
    let store = open(&proxy, "lost_before");
    proxy.cut_on_commit(When::Before);
    create(&store, "again").unwrap();
    assert_eq!(proxy.fired().statements, 1);
    assert_eq!(stored(&store, "again"), 1);
}

#[test]
fn a_transaction_with_an_event_of_ours_is_settled_whole() {
    let proxy = Proxy::before(Postgres::shared());
    let store = open(&proxy, "lost_transaction");
    store.execute("CREATE TABLE own (n BIGINT)", &[]).unwrap();
    let both = |label: &str| {
        let tx = store.begin()?;
        tx.execute("INSERT INTO own VALUES (1)", &[])?;
        tx.presets().create(&sprongus::presets::CreatePreset::new(
            label,
            sprongus::presets::PresetKind::Custom,
            Json::parse(r#"{"fields":[]}"#)?,
        ))?;
        tx.commit()
    };
    proxy.cut_on_commit(When::After);
    both("whole").unwrap();
    proxy.cut_on_commit(When::Before);
    assert_eq!(both("gone").unwrap_err().code(), ErrorCode::Unavailable);
    assert_eq!(proxy.fired().statements, 2);
    assert_eq!((stored(&store, "whole"), stored(&store, "gone")), (1, 0));
    assert_eq!(store.query("SELECT n FROM own", &[]).unwrap().len(), 1);
}

#[test]
fn an_event_that_was_undone_is_no_witness() {
    let proxy = Proxy::before(Postgres::shared());
    let store = open(&proxy, "lost_undone");
    store.execute("CREATE TABLE own (n BIGINT)", &[]).unwrap();
    let run = |label: &str, kept: bool| {
        let tx = store.begin()?;
        tx.execute("INSERT INTO own VALUES (1)", &[])?;
        if kept {
            tx.runs().enqueue(&Enqueue::new(label, Json::null()))?;
        }
        let inner = tx.savepoint()?;
        inner.runs().enqueue(&Enqueue::new(label, Json::null()))?;
        inner.rollback()?;
        tx.commit()
    };
    proxy.cut_on_commit(When::After);
    assert_eq!(run("undone", false).unwrap_err().code(), ErrorCode::OutcomeUnknown, "it was committed");
    proxy.cut_on_commit(When::After);
    run("kept", true).unwrap();
    assert_eq!(proxy.fired().statements, 2);
    assert_eq!(store.query("SELECT n FROM own", &[]).unwrap().len(), 2);
}

#[test]
fn a_transaction_whose_connection_died_before_its_commit_is_no_unknown() {
    let proxy = Proxy::before(Postgres::shared());
    let store = open(&proxy, "died_within");
    let enqueue = |tx: &sprongus::Tx<'_>| tx.runs().enqueue(&Enqueue::new("a", Json::null()));
    let tx = store.begin().unwrap();
    proxy.cut_now();
    assert_eq!(enqueue(&tx).unwrap_err().code(), ErrorCode::Unavailable);
    assert_eq!(tx.commit().unwrap_err().code(), ErrorCode::Misuse, "it was never sent");
    store.transaction(enqueue).unwrap();
    assert_eq!(store.query("SELECT id FROM sprongus_runs", &[]).unwrap().len(), 1);
}

#[test]
fn a_transaction_of_the_hosts_sql_alone_is_an_unknown() {
    let proxy = Proxy::before(Postgres::shared());
    let store = open(&proxy, "lost_host");
    store.execute("CREATE TABLE own (n BIGINT)", &[]).unwrap();
    proxy.cut_on_commit(When::After);
    let unknown = store.execute("INSERT INTO own VALUES (1)", &[]).unwrap_err();
    assert_eq!(unknown.code(), ErrorCode::OutcomeUnknown);
    assert!(!unknown.retryable());
    assert_eq!(proxy.fired().statements, 1);
    assert_eq!(store.query("SELECT n FROM own", &[]).unwrap().len(), 1);
}

#[test]
fn pooled_connections_that_died_are_replaced() {
    let proxy = Proxy::before(Postgres::shared());
    let store = open(&proxy, "dead_pool");
    create(&store, "before").unwrap();
    for round in 0..3 {
        proxy.cut_now();
        create(&store, &format!("after-{round}")).unwrap();
        proxy.cut_now();
        assert_eq!(stored(&store, "after-"), round + 1);
    }
    assert!(proxy.fired().cut >= 3, "{:?}", proxy.fired());
}

#[test]
fn a_server_restart_is_survived() {
    let server = Postgres::start();
    let store = Store::open(server.url(), Options::default()).unwrap();
    create(&store, "before").unwrap();
    server.restart();
    create(&store, "after").unwrap();
    assert_eq!((stored(&store, "before"), stored(&store, "after")), (1, 1));
}
