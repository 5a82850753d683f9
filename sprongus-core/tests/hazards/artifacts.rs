//! One key, eight processes: versions without gaps, nobody's content lost.

use std::collections::BTreeSet;

use sprongus::artifacts::{ArtifactVersions, PutArtifact};
use sprongus::{Options, Store};
use sprongus_testkit::{Postgres, Proxy, When};

use crate::rivals::{Race, Rival};

/// Processes that put under one key.
const RIVALS: usize = 8;
/// Versions each of them puts.
const EACH: usize = 25;

const RACE: Race = Race { rivals: RIVALS, prepare: |_| (), run: rival, judge };

/// In a child: puts its contents, and some of them that change nothing.
fn rival(store: &Store, &Rival { number, .. }: &Rival) {
    for at in 0..EACH {
        store.artifacts().put(&PutArtifact::text("log", "shared", format!("{number} {at}"))).unwrap();
        let same = PutArtifact { if_changed: true, ..PutArtifact::text("log", "same", "always") };
        assert_eq!(store.artifacts().put(&same).unwrap().version, 1);
    }
}

fn judge(store: &Store, _: &[String]) {
    let all = ArtifactVersions { limit: 1000, ..ArtifactVersions::new("log", "shared") };
    let versions = store.artifacts().versions(&all).unwrap();
    let numbers: Vec<i64> = versions.iter().map(|one| one.version).rev().collect();
    let count = i64::try_from(RIVALS * EACH).unwrap();
    assert_eq!(numbers, (1..=count).collect::<Vec<_>>(), "no gap and none twice");
    let texts: Vec<String> =
        versions.iter().map(|one| String::from_utf8(one.content.clone().unwrap()).unwrap()).collect();
    assert_eq!(texts.iter().collect::<BTreeSet<_>>().len(), texts.len(), "nobody's content is lost");
    let turns = texts.windows(2).filter(|two| two[0].split(' ').next() != two[1].split(' ').next()).count();
    assert!(turns >= RIVALS, "a race it was: {turns} turns");
    let same = store.artifacts().versions(&ArtifactVersions::new("log", "same")).unwrap();
    assert_eq!(same.len(), 1, "what changes nothing is put once");
}

#[test]
fn processes_that_put_under_one_key_leave_no_gap_on_sqlite() {
    RACE.on_sqlite("artifacts::processes_that_put_under_one_key_leave_no_gap_on_sqlite");
}

#[test]
fn processes_that_put_under_one_key_leave_no_gap_on_postgres() {
    RACE.on_postgres("artifacts::processes_that_put_under_one_key_leave_no_gap_on_postgres");
}

#[test]
fn an_artifact_whose_answer_was_lost_is_put_once() {
    let proxy = Proxy::before(Postgres::shared());
    let options = Options { schema: Some("lost_artifact".to_owned()), ..Options::default() };
    let store = Store::open(&proxy.url(), options).unwrap();
    for (round, when) in (1..).zip([When::Before, When::After]) {
        proxy.cut_on("INSERT INTO sprongus_artifacts", when);
        let made = store.artifacts().put(&PutArtifact::text("log", "lost", "x")).unwrap();
        assert_eq!(proxy.fired().statements, round, "the fault struck");
        let versions = store.artifacts().versions(&ArtifactVersions::new("log", "lost")).unwrap();
        assert_eq!((versions.len() as u64, &versions[0]), (round, &made));
    }
}
