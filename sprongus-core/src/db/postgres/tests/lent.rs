use postgres::{Client, NoTls};

use super::support::{table, url};
use crate::db::{Executor, LentPostgres, Value};
use crate::error::ErrorCode;

#[test]
fn work_in_the_hosts_transaction_is_the_hosts_to_commit() {
    let table = table("lent", "id int primary key");
    let mut client = Client::connect(url(), NoTls).unwrap();
    for (keep, expected) in [(false, 0_i64), (true, 3)] {
        let mut transaction = client.transaction().unwrap();
        let mut lent = LentPostgres::new(&mut transaction);
        lent.batch("SAVEPOINT s").unwrap();
        lent.execute(&format!("INSERT INTO {table} VALUES ($1)"), &[Value::Int(1)]).unwrap();
        let mut rows = [2, 3].into_iter().map(|id| Ok(vec![Value::Int(id)]));
        assert_eq!(lent.load(&table, &["id"], &mut rows).unwrap(), 2);
        let sum = lent.query_host(&format!("SELECT sum(id), '10.0.0.1'::inet FROM {table}"), &[]).unwrap();
        assert_eq!(sum[0].values(), [Value::Int(6), Value::text("10.0.0.1/32")]);
        if keep {
            transaction.commit().unwrap();
        } else {
            transaction.rollback().unwrap();
        }
        assert_eq!(client.query_one(&format!("SELECT count(*) FROM {table}"), &[]).unwrap().get::<_, i64>(0), expected);
    }
}

#[test]
fn a_failure_leaves_the_hosts_transaction_to_its_savepoint() {
    let mut client = Client::connect(url(), NoTls).unwrap();
    let mut transaction = client.transaction().unwrap();
    let mut lent = LentPostgres::new(&mut transaction);
    lent.batch("SAVEPOINT s").unwrap();
    assert_eq!(lent.query("SELECT 1/0", &[]).unwrap_err().code(), ErrorCode::InvalidArgument);
    assert_eq!(lent.query("SELECT 1", &[]).unwrap_err().code(), ErrorCode::Misuse);
    lent.batch("ROLLBACK TO s").unwrap();
    assert_eq!(lent.query("SELECT 1", &[]).unwrap()[0].values(), [Value::Int(1)]);
}
