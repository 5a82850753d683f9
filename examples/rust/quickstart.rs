//! The first ten lines, as the README has them.

use sprongus::json::Json;
use sprongus::runs::{Claim, Enqueue, Succeed};
use sprongus::{Options, Result, Store};

fn main() -> Result<()> {
    let store = Store::open("app.db", Options::default())?;
    store.runs().enqueue(&Enqueue::new("mail.send", Json::parse(r#"{"to": "orders@example.org"}"#)?))?;
    for run in store.runs().claim_next(&Claim::new("worker-1"))? {
        let done = store.runs().succeed(&Succeed::new(&run.id, run.lease))?;
        println!("{} {}", done.kind, done.state);
    }
    Ok(())
}
