//! The presets that come with the library: recommended fields, anything else welcome (DESIGN.md §6, §15 "Presets").

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::model::{Preset, PresetKind};
use crate::clock::Timestamp;
use crate::json::Json;

/// A preset that needs no row: its label, its kind and the table it is bound to for all projects are one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Builtin {
    /// The label, and the table it is bound to from the start.
    pub label: &'static str,
    /// The kind of the same name.
    pub kind: PresetKind,
}

/// What the ids of built-ins begin with; no label of a host's does.
pub(super) const PREFIX: &str = "builtin-";
/// 2026-11-20T00:00:00Z.
const SINCE: i64 = 1_795_132_800_000_000;

/// Every built-in.
pub const BUILTINS: [Builtin; 3] = [
    Builtin { label: "assets", kind: PresetKind::Assets },
    Builtin { label: "citations", kind: PresetKind::Citations },
    Builtin { label: "storyboard", kind: PresetKind::Storyboard },
];

impl Builtin {
    /// The built-in of that label.
    pub fn named(label: &str) -> Option<Self> {
        BUILTINS.into_iter().find(|builtin| builtin.label == label)
    }

    /// The built-in of that id.
    pub fn of_id(id: &str) -> Option<Self> {
        id.strip_prefix(PREFIX).and_then(Self::named)
    }

    /// It as a preset: version 1 of its label, published when the library first carried it.
    pub fn preset(self) -> Preset {
        let at = Timestamp::from_micros(SINCE);
        Preset {
            id: format!("{PREFIX}{}", self.label),
            label: self.label.to_owned(),
            kind: self.kind,
            version: 1,
            definition: self.definition(),
            published_at: Some(at),
            created_at: at,
            updated_at: at,
        }
    }

    /// Its definition: a JSON Schema that allows additional properties.
    pub fn definition(self) -> Json {
        static DEFINITIONS: LazyLock<[Json; 3]> = LazyLock::new(|| {
            // Written by hand below, far from every limit of the JSON edge.
            [assets(), citations(), storyboard()].map(|schema| Json::from_value(&schema).unwrap_or_default())
        });
        match self.kind {
            PresetKind::Assets => DEFINITIONS[0].clone(),
            PresetKind::Citations => DEFINITIONS[1].clone(),
            _ => DEFINITIONS[2].clone(),
        }
    }
}

fn object(description: &str, properties: Value) -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "description": description,
        "type": "object",
        "properties": properties,
    })
}

fn text(description: &str) -> Value {
    json!({ "type": ["string", "null"], "description": description })
}

fn assets() -> Value {
    object(
        "A work, a file or a piece of media",
        json!({
            "title": text("What it is called"),
            "description": text("What it is or shows"),
            "kind": text("Image, video, audio, document, dataset, …"),
            "url": text("Where it is"),
            "thumbnailUrl": text("Where a small image of it is"),
            "mimeType": text("Its media type (RFC 6838)"),
            "creator": { "type": ["string", "array", "object", "null"], "description": "Who made it: a name, or a list or record of names" },
            "year": { "type": ["integer", "string", "null"], "description": "When it was made" },
            "license": text("Under which terms it may be used, best as an SPDX identifier"),
            "creditLine": text("How it wants to be credited"),
            "source": text("Where it came from"),
            "sha256": { "type": ["string", "null"], "pattern": "^[0-9a-fA-F]{64}$", "description": "The hash of its content, in hex" },
            "width": { "type": ["number", "string", "null"], "description": "Its width, in pixels for files" },
            "height": { "type": ["number", "string", "null"], "description": "Its height, in pixels for files" },
            "tags": { "type": ["array", "string", "null"], "items": { "type": "string" }, "description": "Words to find it by" },
        }),
    )
}

fn citations() -> Value {
    let names = |description: &str| json!({ "type": ["array", "null"], "items": { "type": "object" }, "description": description });
    let date = |description: &str| json!({ "type": ["object", "string", "null"], "description": description });
    let number = |description: &str| json!({ "type": ["string", "number", "null"], "description": description });
    object(
        "A bibliographic record, with the field names of CSL-JSON",
        json!({
            "type": text("article-journal, book, chapter, webpage, …"),
            "title": text("The title"),
            "author": names("The authors: objects with family and given, or literal"),
            "editor": names("The editors, as the authors"),
            "issued": date("When it appeared: {\"date-parts\": [[year, month, day]]}"),
            "accessed": date("When it was looked at, as issued"),
            "container-title": text("The journal or book it is part of"),
            "publisher": text("Who published it"),
            "volume": number("The volume"),
            "issue": number("The issue"),
            "page": number("The pages"),
            "DOI": text("The digital object identifier"),
            "ISBN": text("The standard book number"),
            "ISSN": text("The standard serial number"),
            "URL": text("Where it is"),
            "abstract": text("The summary"),
            "language": text("The language, as an IETF tag"),
            "note": text("A remark"),
        }),
    )
}

fn storyboard() -> Value {
    let ids = |table: &str, description: &str| json!({ "type": "array", "items": { "type": "string", "x-ref": table }, "default": [], "description": description });
    object(
        "A row of a storyboard",
        json!({
            "assetIds": ids("assets", "The assets it shows"),
            "citationIds": ids("citations", "The citations it rests on"),
        }),
    )
}
