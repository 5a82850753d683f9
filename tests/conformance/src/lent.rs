//! The host of a lent connection: begins, hands its transaction over, commits.

use sprongus::{LentPostgres, LentSqlite, Tx};

use crate::Env;

/// Runs the work within a transaction of a `rusqlite::Connection` of the host's.
pub(crate) fn sqlite(env: &Env, work: impl FnOnce(&Tx<'_>)) {
    drop(env.open()); // brings the schema
    let mut host = rusqlite::Connection::open(env.url()).expect("the host's connection");
    let own = host.transaction().expect("the host's transaction");
    let lent = LentSqlite::new(&own).expect("lend it");
    let tx = Tx::attach(lent, env.options()).expect("attach to it");
    work(&tx);
    drop(tx);
    own.commit().expect("the host commits");
}

/// Runs the work within a transaction of a `postgres::Client` of the host's.
pub(crate) fn postgres(env: &Env, work: impl FnOnce(&Tx<'_>)) {
    drop(env.open()); // brings the schema
    let mut host = postgres::Client::connect(env.url(), postgres::NoTls).expect("the host's connection");
    let schema = env.schema().unwrap_or("public");
    host.batch_execute(&format!("SET search_path TO {schema}")).expect("the host's search_path");
    let mut own = host.transaction().expect("the host's transaction");
    let tx = Tx::attach(LentPostgres::new(&mut own), env.options()).expect("attach to it");
    work(&tx);
    drop(tx);
    own.commit().expect("the host commits");
}
