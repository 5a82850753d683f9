//! Custom tables: OAuth tokens, a plugin's settings, an upsert at run time: `tables [URL]`.

use std::time::{Duration, SystemTime};

use sprongus::runs::Enqueue;
use sprongus::tables::{
    Cell, Cells, Column, ColumnType, CountRows, CreateTable, Index, InsertRow, InsertRows, OrderBy, QueryRows,
    TableName, TableSchema, UpdateRow,
};
use sprongus::{ErrorCode, Json, Options, Result, Store};

fn main() -> Result<()> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "tables.db".to_owned());
    let store = Store::open(&url, Options::default())?;
    tokens(&store)?;
    settings(&store)?;
    hosts(&store)
}

/// A token is kept sealed: what seals and opens it is the host's own.
fn tokens(store: &Store) -> Result<()> {
    let schema = TableSchema::new("oauth_tokens")
        .column(Column::new("id", ColumnType::Integer).primary_key().auto_increment())
        .column(Column::new("provider", ColumnType::Text).not_null())
        .column(Column::new("account", ColumnType::Text).not_null())
        .column(Column::new("sealed", ColumnType::Blob).not_null())
        .column(Column::new("scopes", ColumnType::Json))
        .column(Column::new("expires_at", ColumnType::Bigint))
        .index(Index::new("oauth_tokens_account", ["provider", "account"]).unique());
    store.tables().create(&CreateTable::new(schema))?; // once more is nothing
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);

    let account = || Cells::new().with("provider", "mail").with("account", "ada");
    let token = account()
        .with("sealed", vec![0x01, 0xfe])
        .with("scopes", Json::parse(r#"["read","send"]"#)?)
        .with("expires_at", now + 3600);
    store.tables().insert(&InsertRow::new("oauth_tokens", token))?;
    let again = InsertRow::new("oauth_tokens", account().with("sealed", Vec::new()));
    if let Err(error) = store.tables().insert(&again) {
        println!("refused: {error}");
    }

    // The new token and the run that uses it: both are there, or neither.
    store.transaction(|tx| {
        let mut of_ada = QueryRows::new("oauth_tokens");
        of_ada.filter.set("provider", "mail");
        of_ada.filter.set("account", "ada");
        for token in tx.tables().query(&of_ada)? {
            let Some(Cell::Int(id)) = token.get("id") else { continue };
            let sealed = Cells::new().with("sealed", vec![0x02, 0xfd]).with("expires_at", now + 7200);
            tx.tables().update(&UpdateRow::new("oauth_tokens", id.to_string(), sealed))?;
            tx.runs().enqueue(&Enqueue::new("mail.fetch", Json::parse(format!(r#"{{"token":{id}}}"#))?))?;
        }
        Ok(())
    })?;
    let soonest =
        QueryRows { order_by: vec![OrderBy::asc("expires_at")], limit: Some(1), ..QueryRows::new("oauth_tokens") };
    for token in store.tables().query(&soonest)? {
        println!("{:?} {:?}", token.get("account"), token.get("sealed"));
    }
    Ok(())
}

/// A table that a plugin brings along, and takes away when it goes.
fn settings(store: &Store) -> Result<()> {
    let schema = TableSchema::new("plugin_settings")
        .column(Column::new("key", ColumnType::Text).primary_key())
        .column(Column::new("value", ColumnType::Json))
        .column(Column::new("enabled", ColumnType::Boolean).not_null());
    store.tables().create(&CreateTable::new(schema))?;
    let theme = Json::parse(r#"{"dark":true,"size":12}"#)?;
    let rows = vec![
        Cells::new().with("key", "theme").with("value", theme).with("enabled", true),
        Cells::new().with("key", "beta").with("enabled", false),
    ];
    store.tables().insert_many(&InsertRows::new("plugin_settings", rows))?;
    println!("{} settings", store.tables().count(&CountRows::new("plugin_settings"))?);
    let size = Cells::new().with("key", "size").with("enabled", 1);
    if let Err(error) = store.tables().insert(&InsertRow::new("plugin_settings", size)) {
        println!("refused: {error}");
    }
    store.tables().drop(&TableName::new("plugin_settings"))
}

/// A table whose columns are known only when the program runs.
fn hosts(store: &Store) -> Result<()> {
    let seen = Cells::new().with("load", 0.25).with("cores", 4);
    let columns = seen.iter().map(|(name, cell)| {
        Column::new(name, if matches!(cell, Cell::Int(_)) { ColumnType::Integer } else { ColumnType::Real })
    });
    // `id` is the key where none is said to be.
    let schema = columns.fold(TableSchema::new("hosts"), TableSchema::column);
    store.tables().create(&CreateTable::new(schema))?;
    println!("{}", upsert(store, "hosts", "web-1", seen)?);
    println!("{}", upsert(store, "hosts", "web-1", Cells::new().with("load", 0.5))?);
    for host in store.tables().query(&QueryRows::new("hosts"))? {
        println!("{:?} {:?}", host.get("load"), host.get("cores"));
    }
    Ok(())
}

/// Of several that do it at once one inserts, the others update: none is an error.
fn upsert(store: &Store, name: &str, id: &str, data: Cells) -> Result<&'static str> {
    match store.tables().insert(&InsertRow::new(name, data.clone().with("id", id))) {
        Ok(_) => Ok("inserted"),
        Err(error) if error.code() == ErrorCode::Conflict => {
            store.tables().update(&UpdateRow::new(name, id, data)).map(|()| "updated")
        }
        Err(error) => Err(error),
    }
}
