//! The host's own rows and a run in one commit: `transaction [URL]`.

use sprongus::json::Json;
use sprongus::runs::{Enqueue, ListRuns};
use sprongus::{Error, Options, Result, Store, Tx, Value};

fn main() -> Result<()> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "app.db".to_owned());
    let store = Store::open(&url, Options::default())?;
    store.execute("CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, cents BIGINT NOT NULL)", &[])?;

    store.transaction(|tx| order(tx, "order-17", 4_200))?;

    // What fails takes its order and its run with it.
    let refused = store.transaction(|tx| {
        order(tx, "order-18", 99)?;
        Err::<(), _>(Error::invalid("the card was declined"))
    });
    println!("order-18: {}", refused.map_or_else(|error| error.message().to_owned(), |()| "kept".to_owned()));

    for row in store.query("SELECT id, cents FROM orders ORDER BY id", &[])? {
        if let (Some(Value::Text(id)), Some(Value::Int(cents))) = (row.get("id"), row.get("cents")) {
            println!("{id} {cents}");
        }
    }
    for run in store.runs().list(&ListRuns::default())?.items {
        println!("{} {} {}", run.kind, run.state, run.input.as_str());
    }
    Ok(())
}

fn order(tx: &Tx<'_>, id: &str, cents: i64) -> Result<()> {
    tx.execute("INSERT INTO orders (id, cents) VALUES ($1, $2) ON CONFLICT DO NOTHING", &[id.into(), cents.into()])?;
    let input = Json::from_serialize(&serde_json::json!({ "order": id }))?;
    let run = Enqueue { idempotency_key: Some(id.to_owned()), ..Enqueue::new("invoice.send", input) };
    tx.runs().enqueue(&run).map(drop)
}
