use std::time::{Duration, Instant};

use super::support::{open, settings};
use crate::db::postgres::{PostgresDb, PostgresSettings};
use crate::db::{Lane, Seat};

const ASK: &str = "SELECT coalesce(current_setting('sprongus.project', true), '')";

fn told(db: &PostgresDb, project: Option<&str>, in_transaction: bool) -> String {
    let seat = Seat { lane: Lane::Host, project };
    let mut connection = db.connect(seat, Instant::now() + Duration::from_secs(5)).unwrap();
    if in_transaction {
        connection.begin(true).unwrap();
    }
    let told = connection.query(ASK, &[]).unwrap()[0].text(0).unwrap();
    connection.rollback();
    told
}

#[test]
fn a_handle_says_whose_it_is_and_leaves_nothing_of_it() {
    for statement_cache in [true, false] {
        let db = open(PostgresSettings { pool_size: 1, statement_cache, ..settings() });
        for project in ["p", "it's", "\\'; DROP TABLE x; --", "🦀"] {
            assert_eq!(told(&db, Some(project), false), project);
            assert_eq!(told(&db, None, false), "");
            assert_eq!(told(&db, Some(project), true), project);
            assert_eq!(told(&db, None, true), "");
        }
    }
}
