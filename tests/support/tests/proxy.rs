//! Each fault of the proxy strikes where it was told to, and says so.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use postgres::{Client, Config, NoTls};
use sprongus_testkit::{Fired, Postgres, Proxy, When};

fn client(proxy: &Proxy) -> Client {
    let mut config: Config = proxy.url().parse().unwrap();
    config.connect_timeout(Duration::from_millis(300)).connect(NoTls).unwrap()
}

/// A proxy before the shared server, and an empty table of that name.
fn ground(table: &str) -> Proxy {
    Postgres::shared().psql(&format!("DROP TABLE IF EXISTS {table}; CREATE TABLE {table} (n int)"));
    Proxy::before(Postgres::shared())
}

fn rows(table: &str) -> String {
    Postgres::shared().psql(&format!("SELECT count(*) FROM {table}"))
}

#[test]
fn passes_through() {
    let proxy = ground("passing");
    let mut client = client(&proxy);
    let mut copy = client.copy_in("COPY passing FROM STDIN").unwrap();
    std::io::Write::write_all(&mut copy, b"1\n2\n3\n").unwrap();
    assert_eq!(copy.finish().unwrap(), 3);
    assert_eq!(client.query("SELECT n FROM passing", &[]).unwrap().len(), 3);
    assert_eq!(proxy.fired(), Fired::default());
}

#[test]
fn cuts_before_a_commit() {
    let proxy = ground("before_commit");
    let mut client = client(&proxy);
    let mut tx = client.transaction().unwrap();
    tx.execute("INSERT INTO before_commit VALUES ($1)", &[&1]).unwrap();
    proxy.cut_on_commit(When::Before);
    assert!(tx.commit().is_err());
    assert_eq!((proxy.fired().statements, rows("before_commit").as_str()), (1, "0"));
}

#[test]
fn cuts_after_a_commit_even_behind_a_copy() {
    let proxy = ground("after_commit");
    let mut client = client(&proxy);
    let mut tx = client.transaction().unwrap();
    let mut copy = tx.copy_in("COPY after_commit FROM STDIN").unwrap();
    std::io::Write::write_all(&mut copy, b"1\n").unwrap();
    copy.finish().unwrap();
    proxy.cut_on_commit(When::After);
    assert!(tx.commit().is_err());
    assert_eq!((proxy.fired().statements, rows("after_commit").as_str()), (1, "1"));
}

#[test]
fn cuts_after_a_prepared_statement_once() {
    let proxy = ground("prepared");
    proxy.cut_on("insert into prepared", When::After);
    assert!(client(&proxy).execute("INSERT INTO prepared VALUES ($1)", &[&1]).is_err());
    assert_eq!((proxy.fired().statements, rows("prepared").as_str()), (1, "1"));
    client(&proxy).execute("INSERT INTO prepared VALUES ($1)", &[&2]).unwrap();
    assert_eq!((proxy.fired().statements, rows("prepared").as_str()), (1, "2"));
}

#[test]
fn cuts_everything_now() {
    let proxy = ground("cut");
    let (mut one, mut two) = (client(&proxy), client(&proxy));
    proxy.cut_now();
    assert!(one.batch_execute("SELECT 1").is_err() && two.batch_execute("SELECT 1").is_err());
    assert_eq!(proxy.fired().cut, 2);
    client(&proxy).batch_execute("SELECT 1").unwrap();
}

#[test]
fn refuses_new_connections_and_takes_them_again() {
    let proxy = ground("refusing");
    let mut old = client(&proxy);
    proxy.refuse();
    assert!(Client::connect(&proxy.url(), NoTls).is_err());
    assert_eq!(proxy.fired().refused, 1);
    old.batch_execute("SELECT 1").unwrap();
    proxy.pass();
    client(&proxy).batch_execute("SELECT 1").unwrap();
}

#[test]
fn goes_silent_without_a_word_and_comes_back() {
    let proxy = ground("silent");
    let mut talking = client(&proxy);
    proxy.go_silent();
    let waiting = std::thread::spawn(move || talking.batch_execute("INSERT INTO silent VALUES (1)"));
    std::thread::sleep(Duration::from_millis(200));
    assert!(!waiting.is_finished());
    assert!(proxy.fired().swallowed > 0);
    proxy.pass();
    assert!(waiting.join().unwrap().is_err());
    assert_eq!(rows("silent"), "0");
    client(&proxy).batch_execute("SELECT 1").unwrap();
}
