//! A document on its way into a table: judged, in canonical form, with what is kept beside it.

use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::import::{Cells, Written};
use super::keys::{self, KeyRow};
use super::model::Mode;
use super::refs::{self, Reference};
use super::search;
use super::{Nulls, changes, merge};
use crate::error::{Error, ErrorCode, Result};
use crate::json::Json;
use crate::presets::{Compiled, apply_defaults, put_identity, take_identity};
use crate::secrets;

/// What documents of a table must obey.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) preset: Arc<Compiled>,
    pub(super) project: String,
    pub(super) table: String,
    pub(super) max_payload_bytes: usize,
    pub(super) check_secrets: bool,
    /// Names the fields that are searched, so that a stored text of other fields is known as such.
    pub(super) fingerprint: String,
}

/// A judged document.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    pub(super) value: Value,
    pub(super) json: Json,
    pub(super) hash: [u8; 32],
    pub(super) search_text: String,
    pub(super) refs: Vec<Reference>,
    pub(super) keys: Vec<KeyRow>,
    /// Whether entries of the table have keys or references.
    pub(super) links: bool,
    /// `created`, `updated: title, year`.
    pub(super) summary: String,
}

/// A document that was judged without a tree of it.
pub(super) struct JudgedCells {
    /// Canonical.
    pub(super) text: String,
    pub(super) hash: [u8; 32],
    pub(super) search_text: String,
    pub(super) refs: Vec<Reference>,
    pub(super) keys: Vec<KeyRow>,
}

/// The summary of an entry that was not there.
pub(super) const CREATED: &str = "created";

impl Rules {
    /// Whether entries of the table have keys or references.
    pub(super) fn links(&self) -> bool {
        let keywords = self.preset.keywords();
        !(keywords.refs.is_empty() && keywords.unique.is_empty() && keywords.index.is_empty())
    }

    /// Takes the entry's id and its other own values out of a document; see [`take_identity`].
    pub(super) fn identity(&self, document: &mut Map<String, Value>, given: Option<&str>) -> Result<Option<String>> {
        if let Some(id) = given {
            crate::id::check_id("id", id)?;
        }
        take_identity(document, &self.preset, given, &self.project, &self.table)
    }

    /// Judges what an entry becomes when `document` is written over `base`: merged into it or in its place.
    pub(super) fn written(
        &self,
        id: &str,
        document: Map<String, Value>,
        base: Option<&Map<String, Value>>,
        mode: Mode,
        nulls: Nulls,
    ) -> Result<Judged> {
        let mut result = match base {
            Some(base) if mode == Mode::Merge => {
                let mut merged = base.clone();
                merge::merge_object(&mut merged, document, nulls);
                merged
            }
            _ => {
                let mut whole = document;
                put_identity(&mut whole, &self.preset, id);
                apply_defaults(&self.preset, &mut whole)?;
                whole
            }
        };
        // A merge may have taken it out, or the base may be of a time without it.
        put_identity(&mut result, &self.preset, id);
        let summary = base.map_or_else(|| CREATED.to_owned(), |base| changes::summary(base, &result));
        self.judge(result, summary)
    }

    /// Judges a whole document.
    pub(super) fn judge(&self, document: Map<String, Value>, summary: String) -> Result<Judged> {
        let value = Value::Object(document);
        let json = Json::from_value(&value)?;
        if json.as_str().len() > self.max_payload_bytes {
            let (size, most) = (json.as_str().len(), self.max_payload_bytes);
            return Err(Error::new(
                ErrorCode::TooLarge,
                format!("the document has {size} bytes; at most {most} are taken"),
            ));
        }
        if self.check_secrets {
            secrets::refuse_in(&value, json.as_str())?;
        }
        let violations = self.preset.validate(&value);
        if !violations.is_empty() {
            return Err(Error::validation(violations));
        }
        let keywords = self.preset.keywords();
        Ok(Judged {
            hash: json.hash(),
            search_text: format!("{}{}", self.fingerprint, search::search_text(&value, &keywords.search)),
            refs: refs::of_document(keywords, &value),
            keys: keys::of_document(keywords, &value),
            links: self.links(),
            json,
            value,
            summary,
        })
    }

    /// Judges the row of a CSV where no entry is, as [`written`](Self::written) would its document; `None` where that has to
    /// look at it. A test holds the two equal.
    pub(super) fn judge_cells(&self, cells: &Cells) -> Option<JudgedCells> {
        let Written { text, wanted, search } = cells.written()?;
        if text.len() > self.max_payload_bytes || (self.check_secrets && secrets::refuse_text(&text).is_err()) {
            return None;
        }
        let keywords = self.preset.keywords();
        let wanted = Value::Object(wanted);
        let search = search.unwrap_or_else(|| search::search_text(&wanted, &keywords.search));
        Some(JudgedCells {
            hash: Sha256::digest(&text).into(),
            search_text: format!("{}{search}", self.fingerprint),
            refs: refs::of_document(keywords, &wanted),
            keys: keys::of_document(keywords, &wanted),
            text,
        })
    }
}
