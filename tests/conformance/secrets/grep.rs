//! Looks for what was planted, and remembers where it looked.

use std::collections::BTreeMap;
use std::fmt;

use sprongus::Error;

use crate::planted::{CONTROL, MARK};

/// The places looked at, each with how many bytes it had and whether the planted and the control stood in it.
#[derive(Default)]
pub(crate) struct Grep(BTreeMap<String, Place>);

#[derive(Default)]
struct Place {
    bytes: usize,
    planted: Vec<String>,
    control: bool,
}

impl Grep {
    pub(crate) fn text(&mut self, place: &str, text: &str) {
        self.bytes(place, text.as_bytes());
    }

    pub(crate) fn bytes(&mut self, place: &str, bytes: &[u8]) {
        let found = self.0.entry(place.to_owned()).or_default();
        found.bytes += bytes.len();
        let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
        found.control |= text.contains(CONTROL);
        let hexadecimal: String = MARK.bytes().map(|byte| format!("{byte:02x}")).collect();
        for mark in [MARK, &hexadecimal] {
            if let Some(at) = text.find(mark) {
                let from = text.floor_char_boundary(at.saturating_sub(60));
                found.planted.push(text[from..].chars().take(150).collect());
            }
        }
    }

    /// An error in all its forms, with its causes.
    pub(crate) fn error(&mut self, error: &Error) {
        self.text("errors: Display", &error.to_string());
        self.text("errors: Debug", &format!("{error:?} {error:#?}"));
        self.text("errors: details and JSON", &format!("{:?} {}", error.details(), error.to_json()));
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            self.text("errors: causes", &format!("{error} {error:?}"));
            cause = error.source();
        }
    }

    pub(crate) fn found_none(&self) {
        let hits: Vec<_> = self.0.iter().filter(|(_, place)| !place.planted.is_empty()).collect();
        let hits = hits.iter().map(|(name, place)| format!("{name}: {:?}", place.planted));
        let hits: Vec<String> = hits.collect();
        assert!(hits.is_empty(), "planted secrets were found:\n{}", hits.join("\n"));
    }

    /// What was planted to be found is: the places hold what was written.
    pub(crate) fn control_found_where_it_lies(&self) {
        let without: Vec<_> = self.0.iter().filter(|(name, place)| holds(name) && !place.control).collect();
        let without: Vec<&String> = without.into_iter().map(|(name, _)| name).collect();
        assert!(without.is_empty(), "the control is not found in {without:?}");
        assert!(self.0.keys().filter(|name| holds(name)).count() >= 5);
    }
}

/// Whether the control stands in that place.
fn holds(name: &str) -> bool {
    let tables = ["runs", "aux_entries", "aux_versions", "artifacts", "providers", "run_steps"];
    tables.iter().any(|table| name == format!("table sprongus_{table}"))
        || ["records: ", "files: ", "dump"].iter().any(|begin| name.starts_with(begin))
}

impl fmt::Display for Grep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hits: usize = self.0.values().map(|place| place.planted.len()).sum();
        writeln!(f, "looked at {} places, {hits} hits:", self.0.len())?;
        self.0.iter().try_for_each(|(name, place)| writeln!(f, "  {name} ({} bytes)", place.bytes))
    }
}
