//! JSON arrays and JSON lines: each document canonical, on a line of its own.

use std::io::Write;

use super::unwritable;
use crate::error::Result;
use crate::json::Raw;

pub(crate) struct JsonWriter<W> {
    output: W,
    before_first: &'static str,
    between: &'static str,
    after: &'static str,
    any: bool,
    line: String,
}

impl<W: Write> JsonWriter<W> {
    pub(super) fn lines(output: W) -> Self {
        Self { output, before_first: "", between: "\n", after: "\n", any: false, line: String::new() }
    }

    pub(super) fn array(mut output: W) -> Result<Self> {
        output.write_all(b"[").map_err(unwritable)?;
        let (before_first, between, after) = ("\n", ",\n", "\n]\n");
        Ok(Self { output, before_first, between, after, any: false, line: String::new() })
    }

    pub(super) fn write(&mut self, id: &str, payload: &str) -> Result<()> {
        self.line.clear();
        self.line.push_str(if self.any { self.between } else { self.before_first });
        self.any = true;
        push_document(id, payload, &mut self.line)?;
        self.output.write_all(self.line.as_bytes()).map_err(unwritable)
    }

    pub(super) fn finish(mut self) -> Result<W> {
        // An empty array is `[]` on a line; no lines are an empty file.
        let after = if self.any { self.after } else { self.after.trim_start_matches('\n') };
        self.output.write_all(after.as_bytes()).map_err(unwritable)?;
        Ok(self.output)
    }
}

/// The payload with the id in its place among the keys, unless it shows one already.
fn push_document(id: &str, payload: &str, line: &mut String) -> Result<()> {
    let mut members = Raw::of(payload).members();
    let mut before = members.at();
    let mut next = members.next();
    while next.as_ref().is_some_and(|(key, _)| key.as_ref() < "id") {
        before = members.at();
        next = members.next();
    }
    let (shown, last) = (next.as_ref().is_some_and(|(key, _)| key == "id"), next.is_none());
    members.finish()?;
    if shown {
        line.push_str(payload);
        return Ok(());
    }
    let (start, rest) = payload.split_at(before);
    line.push_str(start);
    line.push_str(if before > 1 { ",\"id\":" } else { "\"id\":" });
    line.push_str(&serde_json::Value::from(id).to_string());
    // What follows the first member begins with a comma, the first member itself does not.
    line.push_str(if before > 1 || last { "" } else { "," });
    line.push_str(rest);
    Ok(())
}
