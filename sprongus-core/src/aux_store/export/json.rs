//! JSON arrays and JSON lines: each document canonical, on a line of its own.

use std::io::Write;

use serde_json::{Map, Value};

use super::unwritable;
use crate::error::Result;
use crate::json::Json;

pub(crate) struct JsonWriter<W> {
    output: W,
    before_first: &'static str,
    between: &'static str,
    after: &'static str,
    any: bool,
}

impl<W: Write> JsonWriter<W> {
    pub(super) fn lines(output: W) -> Self {
        Self { output, before_first: "", between: "\n", after: "\n", any: false }
    }

    pub(super) fn array(mut output: W) -> Result<Self> {
        output.write_all(b"[").map_err(unwritable)?;
        Ok(Self { output, before_first: "\n", between: ",\n", after: "\n]\n", any: false })
    }

    pub(super) fn write(&mut self, document: Map<String, Value>) -> Result<()> {
        let document = Json::from_value(&Value::Object(document))?;
        let before = if self.any { self.between } else { self.before_first };
        self.any = true;
        write!(self.output, "{before}{document}").map_err(unwritable)
    }

    pub(super) fn finish(mut self) -> Result<W> {
        // An empty array is `[]` on a line; no lines are an empty file.
        let after = if self.any { self.after } else { self.after.trim_start_matches('\n') };
        self.output.write_all(after.as_bytes()).map_err(unwritable)?;
        Ok(self.output)
    }
}
