//! The examples run, and print what they say they do, on both databases.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;

use sprongus_testkit::{Postgres, temp_dir};

/// Cargo builds the examples beside the tests, unless one test alone is asked for.
fn example(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(program.exists(), "{} is not there: cargo build --examples", program.display());
    program
}

fn run(folder: &Path, name: &str, arguments: &[&str]) -> String {
    let output = Command::new(example(name)).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_first_ten_lines_of_rust() {
    let folder = temp_dir();
    assert_eq!(run(folder.path(), "quickstart", &[]), "mail.send succeeded\n");
    let seen = run(folder.path(), "read", &["app.db", "mail.send"]);
    assert!(
        seen.starts_with("mail.send succeeded attempt 1") && seen.contains("3 run.succeeded by worker-1"),
        "{seen}"
    );
    assert_eq!(run(folder.path(), "read", &["app.db", "other.kind"]), "");
}

#[test]
fn orders_and_runs_in_one_commit() {
    let folder = temp_dir();
    for url in ["app.db", &Postgres::shared().create_database("example_transaction")] {
        let first = run(folder.path(), "transaction", &[url]);
        assert_eq!(
            first, "order-18: the card was declined\norder-17 4200\ninvoice.send queued {\"order\":\"order-17\"}\n",
            "{url}"
        );
        assert_eq!(run(folder.path(), "transaction", &[url]), first, "again, the same order is the same run: {url}");
    }
}

#[test]
fn a_worker_tries_again_until_it_is_done() {
    let folder = temp_dir();
    for url in ["app.db", &Postgres::shared().create_database("example_worker")] {
        let seen = run(folder.path(), "worker", &[url]);
        let mut lines: Vec<&str> = seen.lines().collect();
        lines.sort_unstable();
        let wanted =
            ["harbour.jpg", "mill.jpg"].map(|file| format!("attempt 2: a thumbnail of {{\"file\":\"{file}\"}}"));
        assert_eq!(lines, wanted, "{url}");
    }
}

#[test]
fn a_table_and_a_file_in_step() {
    let folder = temp_dir();
    for (url, file) in [("app.db", "a.csv"), (&*Postgres::shared().create_database("example_sync"), "b.csv")] {
        let seen = run(folder.path(), "sync", &[url, file]);
        let wanted = "first: 2 taken over, 0 pushed, 0 in conflict\nsecond: 1 taken over, 1 pushed, 1 in conflict\n\
                      third: 1 taken over, 0 pushed, 0 in conflict\n{\"title\":\"The windmill\"}\n";
        assert_eq!(seen, wanted, "{url}");
        let text = std::fs::read_to_string(folder.path().join(file)).unwrap();
        assert_eq!(text, "id,title\nk-1,The harbour at dawn\nk-2,The windmill\nk-3,The bridge\n", "{url}");
    }
}

#[test]
fn tokens_settings_and_an_upsert_at_run_time() {
    let folder = temp_dir();
    for url in ["tables.db", &Postgres::shared().create_database("example_tables")] {
        let told = run(folder.path(), "tables", &[url]);
        let wanted = "refused: conflict: /provider: another row of oauth_tokens has these values of provider, account, \
                      taken together\n\
                      Some(Text(\"ada\")) Some(Blob([2, 253]))\n\
                      2 settings\n\
                      refused: validation: /enabled: an integer was given; a boolean column takes true and false\n\
                      inserted\nupdated\nSome(Real(0.5)) Some(Int(4))\n";
        assert_eq!(told, wanted, "{url}");
    }
}

#[test]
fn a_reader_of_nothing_says_so() {
    let folder = temp_dir();
    let output = Command::new(example("read")).arg("no-such.db").current_dir(folder.path()).output().unwrap();
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("NotFound"));
    assert!(!folder.path().join("no-such.db").exists());
}

#[test]
fn reports_have_versions_and_go_into_a_zip() {
    let folder = temp_dir();
    let told = run(folder.path(), "artifacts", &["."]);
    let versions =
        "march, version 2: {\"month\":\"march\",\"sold\":4}\nmarch, version 1: {\"month\":\"march\",\"sold\":3}\n";
    assert_eq!(told, format!("{versions}2 reports in reports.zip\n"));
    assert!(folder.path().join("reports.zip").exists());
}
