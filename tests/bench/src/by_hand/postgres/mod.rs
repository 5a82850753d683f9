//! By hand with the `postgres` crate: prepared statements, one a transition with its event, COPY for what is many.

mod documents;
mod entries;
mod queue;

use std::collections::HashMap;

use postgres::{Client, NoTls, Statement};

/// One connection.
pub(crate) struct Hand {
    client: Client,
    statements: HashMap<String, Statement>,
}

impl Hand {
    /// A connection to an empty database that is given that schema, or with none to one that has it.
    pub(crate) fn open(url: &str, schema: &str) -> Self {
        let mut client = Client::connect(url, NoTls).unwrap();
        client.batch_execute(schema).unwrap();
        Self { client, statements: HashMap::new() }
    }

    fn prepared(&mut self, sql: &str) -> Statement {
        if let Some(statement) = self.statements.get(sql) {
            return statement.clone();
        }
        let statement = self.client.prepare(sql).unwrap();
        self.statements.insert(sql.to_owned(), statement.clone());
        statement
    }
}

/// As COPY's text format wants it.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t")
}
