//! What a preset is, and how one is named.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::json::Json;
use crate::text::check_label;

/// What a preset is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PresetKind {
    /// Rows of a storyboard: `assetIds`, `citationIds`.
    Storyboard,
    /// Works, files, media.
    Assets,
    /// Bibliographic records.
    Citations,
    /// Any other table.
    Custom,
    /// The input of a kind of runs; never a table.
    RunInput,
}

impl PresetKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Storyboard, Self::Assets, Self::Citations, Self::Custom, Self::RunInput];

    /// As it stands in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Storyboard => "storyboard",
            Self::Assets => "assets",
            Self::Citations => "citations",
            Self::Custom => "custom",
            Self::RunInput => "run_input",
        }
    }

    /// The kind of that text; `invalid_argument` naming all of them where there is none.
    pub fn parse(text: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        known.ok_or_else(|| Error::invalid("a preset's kind is storyboard, assets, citations, custom or run_input"))
    }
}

/// A preset as it is stored. Immutable once published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Preset {
    /// A ULID.
    pub id: String,
    /// The name that its versions share.
    pub label: String,
    /// What it is for.
    pub kind: PresetKind,
    /// 1 and up within the label.
    pub version: i64,
    /// A field list or a JSON Schema, as it was given.
    pub definition: Json,
    /// When it became immutable (RFC 3339, UTC); drafts have none.
    pub published_at: Option<Timestamp>,
    /// When it was created (RFC 3339, UTC).
    pub created_at: Timestamp,
    /// When it was last changed (RFC 3339, UTC).
    pub updated_at: Timestamp,
}

/// How a preset is named: `label@version`, `label` (its newest published version) or an id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// This version, published or not.
    Version(String, i64),
    /// A label, or an id: both are looked for, the label first.
    Name(String),
}

impl Preset {
    /// The definition that a Rust type stands for: its JSON Schema (draft 2020-12), as schemars derives it.
    ///
    /// Fields are marked with `#[schemars(extend("x-unique" = true))]`.
    ///
    /// ```
    /// use sprongus::presets::{Compiled, Preset};
    /// #[derive(schemars::JsonSchema)]
    /// struct Paper { title: String, year: Option<i32> }
    /// let paper = Compiled::new(&Preset::of::<Paper>()?)?;
    /// assert!(paper.validate(&serde_json::json!({ "title": "On heat", "year": null })).is_empty());
    /// # Ok::<(), sprongus::Error>(())
    /// ```
    ///
    /// # Errors
    /// `validation` where the type's schema breaks the rules of JSON (a default that nests too deep).
    pub fn of<T: JsonSchema>() -> Result<Json> {
        Json::from_serialize(&schemars::schema_for!(T))
    }

    /// `label@version`, which names this preset and no other.
    pub fn address(&self) -> String {
        format!("{}@{}", self.label, self.version)
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let Some((label, version)) = text.split_once('@') else {
            check_label(text)?;
            return Ok(Self::Name(text.to_owned()));
        };
        check_label(label)?;
        let plain = !version.starts_with(['0', '+', '-']);
        match version.parse() {
            Ok(number) if plain => Ok(Self::Version(label.to_owned(), number)),
            _ => Err(Error::invalid("a preset's version is a number from 1 up, as in label@2")),
        }
    }
}
