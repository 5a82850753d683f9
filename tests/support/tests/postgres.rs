//! The throw-away server comes up, survives a crash, and leaves nothing behind.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};
use sprongus_testkit::{Postgres, Setup};

fn one(url: &str, sql: &str) -> String {
    Client::connect(url, NoTls).unwrap().query_one(sql, &[]).unwrap().get(0)
}

#[test]
fn takes_connections_both_ways_and_keeps_committed_rows_over_a_crash() {
    let server = Postgres::start();
    let other = server.create_database("other one");
    assert_eq!(one(&other.replace(' ', "%20"), "SELECT current_database()::text"), "other one");
    server.psql("CREATE TABLE kept AS SELECT 'here'::text AS word");
    server.restart();
    assert_eq!(one(server.url_tcp(), "SELECT word FROM kept"), "here");
    server.stop();
    assert!(Client::connect(server.url(), NoTls).is_err());
    server.restart();
    assert_eq!(server.psql("SELECT word FROM kept"), "here");
    assert_eq!(server.psql("SHOW fsync"), "on");
}

#[test]
fn is_set_up_as_asked() {
    let setup = Setup { fsync: false, max_connections: 17, settings: vec!["work_mem=5MB".into()] };
    let server = Postgres::start_with(setup);
    assert_eq!(server.psql("SHOW fsync; SHOW max_connections; SHOW work_mem"), "off\n17\n5MB");
}

#[test]
fn is_gone_with_its_folder_when_the_owner_is_killed() {
    let mut owner = Command::new(env!("CARGO_BIN_EXE_with-postgres"));
    owner.args(["sh", "-c", "echo \"$SPRONGUS_TEST_PG_URL\"; read -r _"]).env_remove("SPRONGUS_TEST_PG_URL");
    let mut owner = owner.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut url = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(owner.stdout.take().unwrap()), &mut url).unwrap();
    let folder = url.split_once("host=").unwrap().1.split('&').next().unwrap().to_owned();
    assert!(Path::new(&folder).exists());
    owner.kill().unwrap();
    owner.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while Path::new(&folder).exists() {
        assert!(Instant::now() < deadline, "{folder} is still there");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(Client::connect(url.trim(), NoTls).is_err());
}

#[test]
fn with_postgres_hands_on_the_exit_code() {
    let run = |script: &str| {
        Command::new(env!("CARGO_BIN_EXE_with-postgres")).args(["sh", "-c", script]).status().unwrap().code()
    };
    assert_eq!(run("exit 7"), Some(7));
    assert_eq!(run("kill -KILL $$"), Some(137));
    assert_eq!(run("test -n \"$SPRONGUS_TEST_PG_URL\" && test -n \"$SPRONGUS_TEST_PG_TCP_URL\""), Some(0));
}
