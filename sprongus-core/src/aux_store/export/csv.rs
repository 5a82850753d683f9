//! CSV (RFC 4180, but lines end in LF) from documents.

use std::io::Write;

use memchr::{memchr, memchr3};

use super::columns::{Cells, Columns, Layout, Spot, known};
use super::unwritable;
use crate::aux_store::import::NULL;
use crate::error::Result;
use crate::json::{Member, Raw};

pub(crate) struct CsvWriter<W> {
    output: W,
    id: Spot,
    others: Vec<(String, Spot)>,
    id_cells: Line,
    cells: Line,
}

impl<W: Write> CsvWriter<W> {
    /// Writes the header.
    pub(crate) fn new(output: W, columns: &mut Columns<'_>, escape_formulas: bool) -> Result<Self> {
        let Layout { headers, id, others } = columns.layout();
        let line = || Line { text: String::new(), escape_formulas };
        let mut writer = Self { output, id, others, id_cells: line(), cells: line() };
        headers.iter().for_each(|header| writer.cells.text(header));
        writer.end_line()?;
        Ok(writer)
    }

    /// Writes one row. A missing field is an empty cell; where all are missing the `id` still keeps the line from being blank.
    pub(crate) fn write(&mut self, id: &str, payload: &[Member<'_>]) -> Result<()> {
        let shown = self.cells.object(&self.others, payload.iter().map(known))?;
        match shown {
            Some(value) => self.id_cells.value(&self.id, value)?,
            None => self.id_cells.own_id(&self.id, id),
        }
        self.end_line()
    }

    /// Flushes; what was written to.
    pub(crate) fn finish(mut self) -> Result<W> {
        self.output.flush().map_err(unwritable)?;
        Ok(self.output)
    }

    /// Every cell was followed by a comma; the last one gives way to the line's end.
    fn end_line(&mut self) -> Result<()> {
        let last = if self.cells.text.is_empty() { &mut self.id_cells } else { &mut self.cells };
        last.text.pop();
        last.text.push('\n');
        for line in [&mut self.id_cells, &mut self.cells] {
            self.output.write_all(line.text.as_bytes()).map_err(unwritable)?;
            line.text.clear();
        }
        Ok(())
    }
}

/// Cells, each followed by a comma.
struct Line {
    text: String,
    escape_formulas: bool,
}

impl Line {
    /// The cells of an object; its member `id`, where no column is for it.
    fn object<'t, K: AsRef<str>>(
        &mut self,
        spots: &[(String, Spot)],
        members: impl Iterator<Item = (K, Raw<'t>)>,
    ) -> Result<Option<Raw<'t>>> {
        let (mut id, mut waiting) = (None, spots.iter());
        for (key, value) in members {
            let key = key.as_ref();
            // Both are in the order of their keys, and every key was seen before.
            let next = waiting.clone().position(|(known, _)| *known == key);
            match next.and_then(|next| {
                waiting.by_ref().take(next).for_each(|(_, spot)| self.missing(spot));
                waiting.next()
            }) {
                Some((_, spot)) => self.value(spot, value)?,
                None if key == "id" => id = Some(value),
                None => {}
            }
        }
        waiting.for_each(|(_, spot)| self.missing(spot));
        Ok(id)
    }

    fn value(&mut self, spot: &Spot, value: Raw<'_>) -> Result<()> {
        match spot {
            Spot::Object(spots, _) => {
                let mut members = value.members();
                self.object(spots, &mut members)?;
                members.finish()
            }
            Spot::Column(cells) => {
                self.cell(*cells, value);
                Ok(())
            }
        }
    }

    fn missing(&mut self, spot: &Spot) {
        self.text.extend(std::iter::repeat_n(',', spot.width()));
    }

    /// An id that the payload does not show.
    fn own_id(&mut self, spot: &Spot, id: &str) {
        match spot {
            Spot::Column(Cells::Json) => self.quoted_where_needed(&serde_json::Value::from(id).to_string()),
            _ => self.text(id),
        }
    }

    fn cell(&mut self, cells: Cells, value: Raw<'_>) {
        match (value.first(), cells) {
            (b'n', _) => self.plain(NULL),
            (b'"', Cells::Plain) => self.text(&value.text().unwrap_or_default()),
            (b'"' | b'{' | b'[', _) => self.quoted_where_needed(value.as_str()),
            _ => self.plain(value.as_str()),
        }
    }

    fn text(&mut self, text: &str) {
        if self.escape_formulas && text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
            self.quoted_where_needed(&format!("'{text}"));
        } else {
            self.quoted_where_needed(text);
        }
    }

    /// In quotes, where it needs them.
    fn quoted_where_needed(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let special = memchr3(b',', b'"', b'\n', bytes).is_some() || memchr(b'\r', bytes).is_some();
        if !special && !text.is_empty() && text != NULL {
            return self.plain(text);
        }
        self.text.push('"');
        for (n, part) in text.split('"').enumerate() {
            self.text.push_str(if n == 0 { "" } else { "\"\"" });
            self.text.push_str(part);
        }
        self.plain("\"");
    }

    fn plain(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push(',');
    }
}
