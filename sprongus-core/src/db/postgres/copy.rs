//! COPY … FROM STDIN in its text format (PostgreSQL manual, COPY, "Text Format").

use bytes::Bytes;
use postgres_types::Type;

use super::driver::Driver;
use super::encode;
use super::statements::Statements;
use crate::db::Value;
use crate::error::{Error, Result};

/// Sent in pieces of about this many bytes.
const CHUNK: usize = 64 * 1024;

/// Streams rows into a table; the number of rows written.
pub(super) fn load(
    driver: &mut impl Driver,
    statements: &mut Statements,
    table: &str,
    columns: &[&str],
    rows: &mut dyn Iterator<Item = Result<Vec<Value<'_>>>>,
) -> Result<u64> {
    let columns = columns.join(", ");
    let types = statements.types_of(driver, table, &columns)?;
    let mut number = 0_u64;
    let mut next = || {
        let mut text = String::new();
        while text.len() < CHUNK {
            let Some(row) = rows.next() else { break };
            number += 1;
            let row = row?;
            encode::check(&row, &types)
                .map_err(|error| Error::invalid(format!("row {number}: {}", error.message())))?;
            line(&row, &types, &mut text);
        }
        Ok((!text.is_empty()).then(|| Bytes::from(text)))
    };
    driver.copy_in(&format!("COPY {table} ({columns}) FROM STDIN"), &mut next)
}

fn line(row: &[Value<'_>], types: &[Type], out: &mut String) {
    for (index, (value, ty)) in row.iter().zip(types).enumerate() {
        if index > 0 {
            out.push('\t');
        }
        if value.is_null() {
            out.push_str("\\N");
        } else {
            escape(&encode::text(value, ty), out);
        }
    }
    out.push('\n');
}

fn escape(mut text: &str, out: &mut String) {
    let special = |byte| matches!(byte, b'\\' | b'\t' | b'\n' | b'\r');
    while let Some(at) = text.bytes().position(special) {
        out.push_str(&text[..at]);
        out.push_str(match text.as_bytes()[at] {
            b'\\' => "\\\\",
            b'\t' => "\\t",
            b'\n' => "\\n",
            _ => "\\r",
        });
        text = &text[at + 1..];
    }
    out.push_str(text);
}
