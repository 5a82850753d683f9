//! Files in and out.

use std::path::Path;

use serde_json::{Value, json};
use sprongus::aux_store::{
    Aux, BulkOptions, BulkReport, ExportOptions, Format, ImportOptions, ListQuery, Mode, OnError,
};
use sprongus::presets::BindPreset;
use sprongus::{ErrorCode, Result};
use sprongus_conformance::{Case, Env};
use sprongus_testkit::{data_dir, temp_file};

use crate::aux_entries::{bind, payload};

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, covers, run| Case { name, covers, transactional: true, run };
    vec![
        case("aux::tate_artworks_are_imported_and_exported", &["aux.import", "aux.export"], artworks),
        case("aux::a_file_with_a_byte_order_mark", &["aux.import"], artists),
        case("aux::cells_are_typed_by_the_preset", &["aux.import"], typed),
        case("aux::bad_rows_of_a_file_are_named", &["aux.import"], bad_rows),
        case("aux::files_that_cannot_be_read", &["aux.import"], unreadable),
        case("aux::an_import_with_replace_makes_the_table_equal", &["aux.import"], replaces),
        case("aux::a_replacing_report_deletes_nothing_a_bad_row_may_mean", &["aux.import"], spares),
        case("aux::what_is_exported_is_imported", &["aux.export", "aux.import"], round_trip),
        case("aux::exports_that_cannot_be", &["aux.export"], cannot_export),
        case("aux::naughty_strings_through_files", &["aux.export", "aux.import"], naughty),
    ]
}

fn import(aux: &Aux<'_>, path: &Path, options: &ImportOptions) -> Result<BulkReport> {
    aux.import(path, options, &mut |_, _| Ok(()))
}

fn import_text(aux: &Aux<'_>, format: Format, text: &str, options: &ImportOptions) -> Result<BulkReport> {
    aux.import_from(text.as_bytes(), format, options, &mut |_, _| Ok(()))
}

fn export(aux: &Aux<'_>, path: &Path) -> String {
    aux.export(path, ExportOptions::default(), &mut |_, _| Ok(())).unwrap();
    std::fs::read_to_string(path).unwrap()
}

fn all(aux: &Aux<'_>) -> Vec<(String, Value)> {
    let page = aux.list(&ListQuery { limit: 1000, ..ListQuery::default() }).unwrap();
    page.iter().map(|entry| (entry.id.clone(), payload(entry))).collect()
}

fn artworks(env: &Env) {
    let Some(folder) = data_dir() else { return };
    let file = folder.join("assets/tate_artworks_500.csv");
    let (_kept, out) = temp_file("out.csv");
    env.within(|on| {
        let assets = on.aux("assets");
        let mut progress = Vec::new();
        let report = assets
            .import(&file, &ImportOptions::default(), &mut |done, total| {
                progress.push((done, total));
                Ok(())
            })
            .unwrap();
        assert_eq!((report.created, report.errors.len(), report.warnings.len()), (500, 0, 0));
        assert_eq!(progress, [(500, None)]);
        let one = assets.get("1035").unwrap();
        assert_eq!(payload(&one)["accession_number"], "A00001");
        assert_eq!(payload(&one)["artistId"], "38");
        assert_eq!(import(&assets, &file, &ImportOptions::default()).unwrap().unchanged, 500);
        let first = export(&assets, &out);
        assert_eq!(export(&assets, &out), first);
        assert_eq!(first.lines().next().unwrap().split(',').next(), Some("id"));
        let address = "assets".to_owned();
        on.presets().bind(&BindPreset { table: "copies".to_owned(), address, ..BindPreset::default() }).unwrap();
        assert_eq!(import(&on.aux("copies"), &out, &ImportOptions::default()).unwrap().created, 500);
        assert_eq!(all(&on.aux("copies")), all(&assets));
    });
}

fn artists(env: &Env) {
    let Some(folder) = data_dir() else { return };
    env.within(|on| {
        bind(on, "artists", json!({"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string"}, "yearOfBirth": {"type": "integer"}, "yearOfDeath": {"type": ["integer", "null"]}}}));
        let artists = on.aux("artists");
        let file = folder.join("assets/tate_artist_data_original.csv");
        let report = import(&artists, &file, &ImportOptions::default()).unwrap();
        assert_eq!(report.created, 3532);
        let abbey = payload(&artists.get("0").unwrap());
        assert_eq!((&abbey["name"], &abbey["yearOfBirth"]), (&json!("Abbey, Edwin Austin"), &json!(1852)));
        assert_eq!(artists.count(None, Some(&json!({"yearOfBirth": {"lt": 1600}}))).unwrap(), artists.count(None, Some(&json!({"yearOfBirth": {"exists": true, "not": {"gte": 1600}}}))).unwrap());
    });
}

fn typed(env: &Env) {
    env.within(|on| {
        bind(
            on,
            "works",
            json!({"type": "object", "properties": {"n": {"type": "integer"}, "f": {"type": "number"},
            "b": {"type": "boolean"}, "l": {"type": "array"}, "s": {"type": "string"}}}),
        );
        let file = "id,n,f,b,l,s,free,size.w\n007,1,1.50,true,\"[1,\"\"a\"\"]\",007,007,x\n8,,,,,\"\",\\N,\n";
        import_text(&on.aux("works"), Format::Csv, file, &ImportOptions::default()).unwrap();
        let wanted = json!({"n": 1, "f": 1.5, "b": true, "l": [1, "a"], "s": "007", "free": "007", "size": {"w": "x"}});
        assert_eq!(
            all(&on.aux("works")),
            [("007".to_owned(), wanted), ("8".to_owned(), json!({"s": "", "free": null}))]
        );
        let semicolons = ImportOptions { delimiter: Some(";".into()), ..ImportOptions::default() };
        import_text(&on.aux("works"), Format::Csv, "id;s\n9;a,b\n", &semicolons).unwrap();
        assert_eq!(payload(&on.aux("works").get("9").unwrap()), json!({"s": "a,b"}));
    });
}

fn bad_rows(env: &Env) {
    env.within(|on| {
        bind(on, "works", json!({"type": "object", "properties": {"n": {"type": "integer"}}}));
        let works = on.aux("works");
        let file = "id,n\na,1\nb,x\nc\nd,\"2\"y\n\ne,3\n";
        let report = ImportOptions {
            bulk: BulkOptions { on_error: OnError::Report, ..BulkOptions::default() },
            ..ImportOptions::default()
        };
        let done = import_text(&works, Format::Csv, file, &report).unwrap();
        let told: Vec<_> =
            done.errors.iter().map(|one| (one.row.unwrap(), one.path.as_str(), one.keyword.as_str())).collect();
        assert_eq!(told, [(2, "/n", "type"), (3, "", "csv"), (4, "", "csv")]);
        assert_eq!((done.created, all(&works).len()), (2, 2));
        let error = import_text(&works, Format::Csv, "id,n\nz,1\nb,x\n", &ImportOptions::default()).unwrap_err();
        assert_eq!((error.code(), error.violations_list().len()), (ErrorCode::Validation, 1));
        let lines = "{\"id\":\"f\",\"n\":1}\n{\"id\":\"g\",\"id\":\"h\"}\n[]\n";
        let done = import_text(&works, Format::Ndjson, lines, &report).unwrap();
        let told: Vec<_> = done.errors.iter().map(|one| (one.row.unwrap(), one.keyword.as_str())).collect();
        assert_eq!((done.created, told), (1, vec![(2, "json"), (3, "type")]));
    });
}

fn unreadable(env: &Env) {
    let (_kept, file) = temp_file("in.csv");
    env.within(|on| {
        let assets = on.aux("assets");
        let code = |path: &Path| import(&assets, path, &ImportOptions::default()).unwrap_err().code();
        assert_eq!(code(&file), ErrorCode::NotFound);
        assert_eq!(code(Path::new("/tmp/none.xlsx")), ErrorCode::InvalidArgument);
        let json = ImportOptions { format: Some(Format::Json), ..ImportOptions::default() };
        assert_eq!(import(&assets, file.parent().unwrap(), &json).unwrap_err().code(), ErrorCode::InvalidArgument);
        let report = ImportOptions {
            bulk: BulkOptions { on_error: OnError::Report, ..BulkOptions::default() },
            ..ImportOptions::default()
        };
        for (bytes, keyword) in
            [(&b"id\n\xff\n"[..], "encoding"), (b"", "csv"), (b"a,a\n1,2\n", "csv"), (b"id\n1\n\"2\n", "csv")]
        {
            std::fs::write(&file, bytes).unwrap();
            let error = import(&assets, &file, &report).unwrap_err();
            assert_eq!((error.code(), error.violations_list()[0].keyword.as_str()), (ErrorCode::Validation, keyword));
        }
        let bad = ImportOptions { delimiter: Some("ab".into()), ..ImportOptions::default() };
        assert_eq!(import_text(&assets, Format::Csv, "id\n", &bad).unwrap_err().code(), ErrorCode::InvalidArgument);
        assert_eq!(all(&assets), []);
    });
}

fn replaces(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        let replace = ImportOptions {
            bulk: BulkOptions { mode: Mode::Replace, ..BulkOptions::default() },
            ..ImportOptions::default()
        };
        import_text(&assets, Format::Csv, "id,x,y\na,1,2\nb,3,4\n", &replace).unwrap();
        let report = import_text(&assets, Format::Csv, "id,x\nb,3\nc,5\n", &replace).unwrap();
        assert_eq!([report.created, report.updated, report.unchanged, report.deleted], [1, 1, 0, 1]);
        assert_eq!(all(&assets), [("b".to_owned(), json!({"x": "3"})), ("c".to_owned(), json!({"x": "5"}))]);
        let dry = ImportOptions { bulk: BulkOptions { dry_run: true, ..replace.bulk }, ..replace };
        let report = import_text(&assets, Format::Csv, "id\n", &dry).unwrap();
        assert_eq!((report.deleted, report.dry_run, all(&assets).len()), (2, true, 2));
    });
}

fn spares(env: &Env) {
    env.within(|on| {
        bind(on, "works", json!({"type": "object", "properties": {"n": {"type": "integer"}}}));
        let works = on.aux("works");
        let bulk = BulkOptions { mode: Mode::Replace, on_error: OnError::Report, ..BulkOptions::default() };
        let replace = ImportOptions { bulk, ..ImportOptions::default() };
        let import = |text: &str| import_text(&works, Format::Csv, text, &replace).unwrap();
        import("id,n\na,1\nb,2\nc,3\n");
        let named = import("id,n\na,1\nb,x\n");
        assert_eq!((named.errors[0].id.as_deref(), named.deleted), (Some("b"), 1));
        assert_eq!(payload(&works.get("b").unwrap()), json!({"n": 2}));
        let unnamed = import("id,n\nd,4\nb\n");
        assert_eq!((unnamed.errors[0].id.as_deref(), unnamed.deleted, unnamed.created), (None, 0, 1));
        assert_eq!(all(&works).len(), 3);
    });
}

fn round_trip(env: &Env) {
    let (_kept, file) = temp_file("out");
    env.within(|on| {
        bind(on, "works", json!({"type": "object", "properties": {"n": {"type": "integer"}, "t": {"type": "string"}, "m": {"type": ["number", "string", "array"]}}}));
        let works = on.aux("works");
        let documents = [
            json!({"id": "a", "n": 1, "t": "007", "free": 5, "o": {"p.q": [1], "e": {}}, "nil": null, "m": "5"}),
            json!({"id": "b", "t": "", "free": "5", "o": {}, "m": 5.0}),
            json!({"id": "c", "t": "\\N", "o": "x", "m": [], "\u{e9},\"\n": "=1+1\r"}),
            json!({"id": "d", "x\\:json": 1, "y\\:json": "1"}),
        ];
        works.bulk_upsert(documents.into_iter().map(Ok), BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
        let before = all(&works);
        for (extension, format) in [("csv", Format::Csv), ("json", Format::Json), ("ndjson", Format::Ndjson)] {
            let file = file.with_extension(extension);
            let text = export(&works, &file);
            let replace = ImportOptions { bulk: BulkOptions { mode: Mode::Replace, ..BulkOptions::default() }, ..ImportOptions::default() };
            let report = import(&works, &file, &replace).unwrap();
            assert_eq!((report.unchanged, report.deleted), (4, 0), "{text}");
            let merged = import_text(&works, format, &text, &ImportOptions::default()).unwrap();
            assert_eq!(merged.unchanged, 4, "{text}");
            assert_eq!(all(&works), before);
        }
        let escaped = file.with_extension("escaped.csv");
        let options = ExportOptions { escape_formulas: true, ..ExportOptions::default() };
        works.export(&escaped, options, &mut |_, _| Ok(())).unwrap();
        assert!(std::fs::read_to_string(&escaped).unwrap().contains("'=1+1"));
    });
}

fn cannot_export(env: &Env) {
    let (_kept, file) = temp_file("out.csv");
    env.within(|on| {
        let assets = on.aux("assets");
        assets.create(json!({}), Some("a")).unwrap();
        let export = |path: &Path| assets.export(path, ExportOptions::default(), &mut |_, _| Ok(()));
        assert_eq!(export(&file.with_extension("xlsx")).unwrap_err().code(), ErrorCode::InvalidArgument);
        assert_eq!(export(&file.join("no/such.csv")).unwrap_err().code(), ErrorCode::NotFound);
        let cancelled =
            assets.export(&file, ExportOptions::default(), &mut |_, _| Err(sprongus::Error::misuse("enough")));
        assert_eq!(cancelled.unwrap_err().message(), "enough");
        assert!(!file.exists());
        assert_eq!(export(&file).unwrap(), 1);
    });
}

fn naughty(env: &Env) {
    let Some(folder) = data_dir() else { return };
    let strings = std::fs::read(folder.join("blns/blns.even.json")).unwrap();
    let strings: Vec<String> = serde_json::from_slice(&strings).unwrap();
    let (_kept, file) = temp_file("out");
    env.within(|on| {
        let assets = on.aux("assets");
        let documents = strings
            .iter()
            .enumerate()
            .map(|(n, text)| Ok(json!({"id": format!("{n:03}"), "v": text, "o": {text: text}})));
        assets.bulk_upsert(documents, BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
        for extension in ["csv", "json", "ndjson"] {
            let file = file.with_extension(extension);
            export(&assets, &file);
            assert_eq!(
                import(&assets, &file, &ImportOptions::default()).unwrap().unchanged,
                strings.len() as u64,
                "{extension}"
            );
        }
    });
}
