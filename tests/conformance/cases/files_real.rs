//! Files of museums and reference managers, with presets as their users would write them: each is imported, or refused for a
//! reason, and comes back from every format.

use std::path::Path;

use serde_json::{Value, json};
use sprongus::aux_store::{Aux, BulkOptions, ExportOptions, Format, ImportOptions, OnError};
use sprongus_conformance::{Case, Env};
use sprongus_testkit::{data_dir, temp_file};

use crate::aux_entries::bind;

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, covers, run| Case { name, covers, transactional: true, run };
    vec![
        case("files::museums", &["aux.import", "aux.export"], museums),
        case("files::reference_managers", &["aux.import", "aux.export"], references),
    ]
}

/// A file, how it is read, what its rows are, and what becomes of them.
struct Real {
    file: &'static str,
    format: Format,
    delimiter: Option<&'static str>,
    preset: Value,
    created: u64,
    /// Rows that are the same entry as a later one.
    repeated: usize,
    dangling: usize,
    /// The keyword of each bad row's first violation.
    bad: Vec<(u64, &'static str)>,
}

impl Real {
    fn csv(file: &'static str, preset: Value, created: u64) -> Self {
        let (delimiter, bad) = (None, Vec::new());
        Self { file, format: Format::Csv, delimiter, preset, created, repeated: 0, dangling: 0, bad }
    }
}

/// Fields by name and type; what the list does not name is taken as it is.
fn fields(named: &[(&str, &str)], id: &str) -> Value {
    let field = |(name, kind): &(&str, &str)| match *name == id {
        true => json!({"name": name, "type": kind, "id": true}),
        false => json!({"name": name, "type": kind}),
    };
    json!({"additional": true, "fields": named.iter().map(field).collect::<Vec<_>>()})
}

fn museums(env: &Env) {
    let Some(folder) = data_dir().map(|data| data.join("assets")) else { return };
    let numbers = [
        ("year", "integer"),
        ("acquisitionYear", "integer"),
        ("width", "number"),
        ("height", "number"),
        ("depth", "number"),
    ];
    let nested = json!({"type": "object", "required": ["acno", "title"], "properties": {"acno": {"type": "string", "x-unique": true},
        "contributors": {"type": "array", "items": {"type": "object", "properties": {"fc": {"type": "string", "x-search": true}}}},
        "subjects": {"type": "object"}, "acquisitionYear": {"type": ["integer", "null"]}}});
    let things = json!({"type": "object", "required": ["title", "accession_number"], "properties": {"item_width": {"type": ["number", "null"]},
        "creation_date_earliest": {"type": ["string", "null"], "format": "date"}, "creator": {"type": ["array", "null"]}, "images": {"type": ["array", "null"]}}});
    let related = json!({"type": "object", "x-unique": [["mediaid", "relatedid", "relatedentity"]],
        "required": ["mediaid", "relatedid", "relatedentity"], "additionalProperties": false, "properties": {
        "mediaid": {"type": "string", "x-ref": "media_items_first300"}, "relatedid": {"type": "integer"},
        "relatedentity": {"enum": ["nga:art:tms:constituents", "nga:art:tms:objects"]}}});
    all(
        env,
        &folder,
        vec![
            // One width says "(left):": upstream has read it out of a text.
            Real { bad: vec![(ROW_OF_LEFT, "type")], ..Real::csv("tate_artworks_500.csv", fields(&numbers, ""), 499) },
            Real::csv(
                "tate_artist_data_original.csv",
                fields(&[("yearOfBirth", "integer"), ("yearOfDeath", "integer")], ""),
                3532,
            ),
            Real::csv(
                "nga/locations.csv",
                fields(&[("locationid", "integer"), ("publicaccess", "integer")], "locationid"),
                1160,
            ),
            Real::csv(
                "nga/media_items_first300.csv",
                fields(&[("mediaid", "string"), ("duration", "integer")], "mediaid"),
                300,
            ),
            Real { dangling: 2737, ..Real::csv("nga/media_relationships.csv", related, 2983) },
            Real { format: Format::Ndjson, ..Real::csv("tate_artworks_500.jsonl", nested, 500) },
            Real { format: Format::Ndjson, ..Real::csv("cmoa/cmoa_things_300.jsonl", things, 300) },
        ],
    );
    env_refuses(env, &folder.join("cmoa/datapackage.json"), "json");
}

/// The row of the Tate's file whose width is no number.
const ROW_OF_LEFT: u64 = 17;

fn references(env: &Env) {
    let Some(folder) = data_dir().map(|data| data.join("citations/csv/asreview")) else { return };
    let titled = || {
        json!({"type": "object", "required": ["title"], "properties": {"title": {"type": "string", "x-search": true},
        "label_included": {"enum": ["0", "1"]}, "volume": {"type": "integer"}}})
    };
    let screened = json!({"type": "object", "required": ["title"], "properties": {"record_id": {"type": "integer", "x-id": true},
        "final_included": {"type": "integer", "enum": [0, 1]}}});
    let strict = json!({"fields": [{"name": "title", "type": "string", "required": true}, {"name": "abstract", "type": "string"}]});
    let one = |file| Real { repeated: 1, ..Real::csv(file, titled(), 1) };
    all(
        env,
        &folder,
        vec![
            Real::csv("embase.csv", json!({"type": "object", "required": ["Title", "Author Names"]}), 6),
            one("generic.csv"),
            Real { delimiter: Some(";"), ..one("generic_semicolon.csv") },
            Real { delimiter: Some("\t"), ..one("generic_tab.tsv") },
            Real { repeated: 5, ..one("generic_labels.csv") },
            Real { repeated: 5, ..one("generic_partial_labels.csv") },
            Real {
                created: 0,
                repeated: 0,
                bad: (1..=6).map(|row| (row, "required")).collect(),
                ..one("generic_labels_no_title.csv")
            },
            // `abstract ` ends in a space, which is another name.
            Real {
                created: 0,
                repeated: 0,
                bad: vec![(1, "additionalProperties"), (2, "additionalProperties")],
                ..Real::csv("generic_column_names_with_spaces.csv", strict, 0)
            },
            Real::csv("record_id.csv", screened, 10),
        ],
    );
}

fn env_refuses(env: &Env, path: &Path, keyword: &str) {
    env.within(|on| {
        let refused = on.aux("assets").import(path, &ImportOptions::default(), &mut |_, _| Ok(())).unwrap_err();
        assert_eq!(refused.violations_list()[0].keyword, keyword);
        assert_eq!(on.aux("assets").count(None, None).unwrap(), 0);
    });
}

fn all(env: &Env, folder: &Path, files: Vec<Real>) {
    let (_kept, out) = temp_file("out");
    env.within(|on| {
        for real in &files {
            let path = folder.join(real.file);
            let stem = path.file_stem().unwrap().to_str().unwrap();
            let table = if real.format == Format::Csv { stem.to_owned() } else { format!("{stem}_lines") };
            bind(on, &table, real.preset.clone());
            imported(&on.aux(&table), &path, real);
            round_trip(&on.aux(&table), &out, real);
        }
    });
}

fn imported(aux: &Aux<'_>, path: &Path, real: &Real) {
    let bulk = BulkOptions { on_error: OnError::Report, ..BulkOptions::default() };
    let delimiter = real.delimiter.map(str::to_owned);
    let options = ImportOptions { format: Some(real.format), delimiter, bulk };
    let report = aux.import(path, &options, &mut |_, _| Ok(())).unwrap();
    let mut bad: Vec<(u64, &str)> = report.errors.iter().map(|one| (one.row.unwrap(), one.keyword.as_str())).collect();
    bad.dedup_by_key(|one| one.0);
    assert_eq!((report.created, bad), (real.created, real.bad.clone()), "{}", real.file);
    let warned = |keyword: &str| report.warnings.iter().filter(|one| one.keyword == keyword).count();
    assert_eq!((warned("duplicate_id"), warned("dangling_ref")), (real.repeated, real.dangling), "{}", real.file);
    if !real.bad.is_empty() {
        let abort = ImportOptions { bulk: BulkOptions::default(), ..options };
        assert!(aux.import(path, &abort, &mut |_, _| Ok(())).is_err(), "{}", real.file);
    }
    assert_eq!(aux.count(None, None).unwrap(), real.created, "{}", real.file);
}

fn round_trip(aux: &Aux<'_>, out: &Path, real: &Real) {
    for ending in ["csv", "json", "ndjson"] {
        let path = out.with_extension(ending);
        assert_eq!(aux.export(&path, ExportOptions::default(), &mut |_, _| Ok(())).unwrap(), real.created);
        let bytes = std::fs::read(&path).unwrap();
        let report = aux.import(&path, &ImportOptions::default(), &mut |_, _| Ok(())).unwrap();
        assert_eq!((report.unchanged, report.updated), (real.created, 0), "{} as {ending}", real.file);
        aux.export(&path, ExportOptions::default(), &mut |_, _| Ok(())).unwrap();
        assert!(bytes == std::fs::read(&path).unwrap(), "{} as {ending}", real.file);
    }
}
