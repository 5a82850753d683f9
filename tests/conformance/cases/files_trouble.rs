//! Files that are no files, cut, empty, huge, in another encoding; exports over what is there, and imports that are ended.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use sprongus::aux_store::{Aux, BulkOptions, BulkReport, ExportOptions, Format, ImportOptions, OnError};
use sprongus::presets::BindPreset;
use sprongus::{Error, ErrorCode, Options, Result, Store};
use sprongus_conformance::{Backend, Case, Env};
use sprongus_testkit::temp_file;

use crate::aux_entries::bind;

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, covers, run| Case { name, covers, transactional: true, run };
    vec![
        case("files::what_cannot_be_read_on_stores_nothing", &["aux.import"], unreadable),
        case("files::rows_that_cannot_be_are_named_alone", &["aux.import"], bad_rows),
        case("files::an_end_without_a_line_break_or_rows", &["aux.import"], ends),
        case("files::pipes_are_read_and_written", &["aux.import", "aux.export"], pipes),
        case("files::an_import_that_is_ended_leaves_nothing", &["aux.import"], ended_import),
        case("files::an_export_that_fails_leaves_the_file_as_it_was", &["aux.export"], failed_export),
        case("files::late_columns_and_types_are_in_the_header", &["aux.export", "aux.import"], late_columns),
        case("files::the_same_entries_are_the_same_bytes", &["aux.export"], same_bytes),
        Case {
            name: "files::the_store_itself_is_no_place_for_an_export",
            covers: &["aux.export"],
            transactional: false,
            run: own_file,
        },
    ]
}

const FORMATS: [(Format, &str); 3] = [(Format::Csv, "csv"), (Format::Json, "json"), (Format::Ndjson, "ndjson")];

fn import(aux: &Aux<'_>, format: Format, bytes: &[u8]) -> Result<BulkReport> {
    aux.import_from(bytes, format, &ImportOptions::default(), &mut |_, _| Ok(()))
}

fn report(aux: &Aux<'_>, format: Format, bytes: &[u8]) -> Result<BulkReport> {
    let bulk = BulkOptions { on_error: OnError::Report, ..BulkOptions::default() };
    aux.import_from(bytes, format, &ImportOptions { bulk, ..ImportOptions::default() }, &mut |_, _| Ok(()))
}

fn export(aux: &Aux<'_>, path: &Path) -> Result<u64> {
    aux.export(path, ExportOptions::default(), &mut |_, _| Ok(()))
}

fn count(aux: &Aux<'_>) -> u64 {
    aux.count(None, None).unwrap()
}

fn fill(aux: &Aux<'_>, rows: usize) {
    let documents = (0..rows).map(|n| Ok(json!({"id": format!("{n:05}"), "title": format!("no. {n}"), "n": n})));
    aux.bulk_upsert(documents, BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
}

fn unreadable(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        for (format, bytes, keyword, told) in [
            (Format::Csv, &b"id,t\n1,a\n2,\"b\n3,c\n"[..], "csv", "row 2, line 3"),
            (Format::Csv, b"id,t\n1,a\n2,\xe9t\xe9\n", "encoding", "byte 0xE9 at offset 11, line 3"),
            (Format::Csv, b"\xff\xfei\0d\0\n\0", "encoding", "UTF-16"),
            (Format::Csv, b"i\0d\0\n\0", "csv", "UTF-16"),
            (Format::Json, b"\xfe\xff\0[\0]", "encoding", "UTF-16"),
            (Format::Csv, b"id,t,id\n1,a,2\n", "csv", "column 3"),
            (Format::Csv, b"id,,t\n1,a,2\n", "csv", "column 2"),
            (Format::Csv, b"id,a,a.b\n1,2,3\n", "csv", "column 3"),
            (Format::Csv, b"id,a.b,a\n1,2,3\n", "csv", "column 2"),
            (Format::Csv, b"", "csv", "empty"),
            (Format::Json, b"", "json", "empty"),
            (Format::Json, b"{\"id\":1}\n{\"id\":2}\n", "json", "ndjson"),
            (Format::Json, b"[{\"id\":1},{\"id\":2", "json", "row 2"),
            (Format::Json, b"[{\"id\":1}] [", "json", "follows"),
            (Format::Ndjson, b"{\"id\":1}\n{\"id\":\"\xff\"}\n", "encoding", "byte 0xFF at offset 16, line 2"),
        ] {
            for done in [import(&assets, format, bytes), report(&assets, format, bytes)] {
                let error = done.unwrap_err();
                let first = error.violations_list().remove(0);
                assert_eq!((error.code(), first.keyword.as_str()), (ErrorCode::Validation, keyword), "{error}");
                assert!(first.message.contains(told), "{}", first.message);
            }
        }
        let endless = format!("id\n1\n\"{}", "x\n".repeat(5 << 20));
        let error = import(&assets, Format::Csv, endless.as_bytes()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::TooLarge);
        assert!(error.message().contains("row 2, which begins on line 3"), "{error}");
        assert_eq!(count(&assets), 0);
    });
}

fn bad_rows(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        let huge = "x".repeat(2 << 20);
        let file = format!(
            "id,t,lastUpdated,tableName\n1,a,,\n2,a\0b,,\n3,a,b,c,d\n4,a\n5,{huge},,\n6,a,2024-01-01,\n7,a,,assets\n8,a,,others\n\\N,a,,\n"
        );
        let done = report(&assets, Format::Csv, file.as_bytes()).unwrap();
        let told: Vec<_> = done
            .errors
            .iter()
            .map(|one| (one.row.unwrap(), one.id.as_deref().unwrap_or_default(), one.path.as_str(), one.keyword.as_str()))
            .collect();
        let wanted = [
            (2, "2", "/t", "json"),
            (3, "", "", "csv"),
            (4, "", "", "csv"),
            (5, "5", "", "too_large"),
            (6, "6", "/lastUpdated", "reserved"),
            (8, "8", "/tableName", "reserved"),
            (9, "", "/id", "id"),
        ];
        assert_eq!(told, wanted);
        assert_eq!((done.created, count(&assets)), (2, 2));
        let lines = format!("{{\"id\":\"9\",\"t\":\"{huge}\"}}\n{{\"id\":\"10\",\"t\":\"a\"}}");
        let done = report(&assets, Format::Ndjson, lines.as_bytes()).unwrap();
        assert_eq!((done.errors[0].keyword.as_str(), done.created), ("too_large", 1));
    });
}

fn ends(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        for (format, bytes, rows) in [
            (Format::Csv, &b"id"[..], 0),
            (Format::Csv, b"id\n", 0),
            (Format::Csv, b"\xef\xbb\xbfid\r\n\r\n", 0),
            (Format::Csv, b"id,t\n1,a", 1),
            (Format::Csv, b"id,t\n2,\"a\"", 1),
            (Format::Csv, b"id,t\r3,a\r\r4,b", 2),
            (Format::Json, b"[]", 0),
            (Format::Json, b"\xef\xbb\xbf [ ]\n", 0),
            (Format::Json, b"[{\"id\":5}]", 1),
            (Format::Ndjson, b"", 0),
            (Format::Ndjson, b"\n\n", 0),
            (Format::Ndjson, b"{\"id\":6}", 1),
        ] {
            assert_eq!(import(&assets, format, bytes).unwrap().created, rows, "{}", String::from_utf8_lossy(bytes));
        }
    });
}

fn pipe(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

fn pipes(env: &Env) {
    let (_kept, file) = temp_file("x");
    let folder = file.parent().unwrap();
    env.within(|on| {
        let assets = on.aux("assets");
        let path = pipe(folder, "in.csv");
        let writing = std::thread::spawn({
            let path = path.clone();
            move || {
                let mut pipe = File::options().write(true).open(path).unwrap();
                (0..3000).for_each(|n| {
                    pipe.write_all(if n == 0 { b"id,t\n".to_vec() } else { format!("{n},x\n").into_bytes() }.as_slice())
                        .unwrap()
                });
            }
        });
        let done = assets.import(&path, &ImportOptions::default(), &mut |_, _| Ok(())).unwrap();
        writing.join().unwrap();
        assert_eq!(done.created, 2999);
        for (_, ending) in FORMATS {
            let path = pipe(folder, &format!("out.{ending}"));
            let reading = std::thread::spawn({
                let path = path.clone();
                move || {
                    let mut text = String::new();
                    File::open(path).unwrap().read_to_string(&mut text).unwrap();
                    text
                }
            });
            assert_eq!(export(&assets, &path).unwrap(), 2999);
            let plain = folder.join(format!("plain.{ending}"));
            export(&assets, &plain).unwrap();
            assert_eq!(reading.join().unwrap(), std::fs::read_to_string(plain).unwrap());
        }
        for (path, code) in
            [(folder.to_owned(), ErrorCode::InvalidArgument), (folder.join("no/such"), ErrorCode::NotFound)]
        {
            let options = ExportOptions { format: Some(Format::Csv), ..ExportOptions::default() };
            assert_eq!(assets.export(&path, options, &mut |_, _| Ok(())).unwrap_err().code(), code);
        }
    });
}

fn ended_import(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        let csv = (0..4000).fold("id,t\n".to_owned(), |text, n| text + &format!("{n},x\n"));
        let lines = (0..4000).fold(String::new(), |text, n| text + &format!("{{\"id\":{n}}}\n"));
        let array = format!("[{}]", lines.trim_end().replace('\n', ","));
        for (format, text) in [(Format::Csv, csv), (Format::Ndjson, lines), (Format::Json, array)] {
            let mut told = Vec::new();
            let error = assets.import_from(text.as_bytes(), format, &ImportOptions::default(), &mut |done, total| {
                told.push((done, total));
                if done > 1500 { Err(Error::misuse("enough")) } else { Ok(()) }
            });
            assert_eq!(error.unwrap_err().message(), "enough");
            assert!(told.len() > 1 && told.is_sorted() && told.iter().all(|(_, total)| total.is_none()), "{told:?}");
            assert_eq!(count(&assets), 0);
        }
    });
}

fn failed_export(env: &Env) {
    let (_kept, file) = temp_file("out.csv");
    let folder = file.parent().unwrap().to_owned();
    env.within(|on| {
        let assets = on.aux("assets");
        fill(&assets, 3000);
        for (format, ending) in FORMATS {
            let path = folder.join(format!("out.{ending}"));
            std::fs::write(&path, "kept").unwrap();
            let mut told = Vec::new();
            let error = assets.export(&path, ExportOptions::default(), &mut |done, total| {
                told.push((done, total));
                if done > 1000 { Err(Error::misuse("enough")) } else { Ok(()) }
            });
            assert_eq!(error.unwrap_err().message(), "enough");
            assert!(
                told.len() > 1 && told.is_sorted() && told.iter().all(|(_, total)| *total == Some(3000)),
                "{told:?}"
            );
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "kept");
            // Linux: a disk that is always full.
            let full = ExportOptions { format: Some(format), ..ExportOptions::default() };
            let error = assets.export(Path::new("/dev/full"), full, &mut |_, _| Ok(())).unwrap_err();
            assert_eq!(error.code(), ErrorCode::StorageFull, "{error}");
            assert_eq!(export(&assets, &path).unwrap(), 3000);
            assert!(std::fs::metadata(&path).unwrap().len() > 30_000);
        }
        let names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let left: Vec<String> = names.filter(|name| !name.starts_with("out.")).collect();
        assert_eq!(left, Vec::<String>::new());
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(export(&assets, &file).unwrap_err().code(), ErrorCode::NotFound);
        std::fs::create_dir(&folder).unwrap();
    });
}

/// What the first thousand entries do not tell.
fn late_columns(env: &Env) {
    let (_kept, file) = temp_file("out.csv");
    env.within(|on| {
        bind(on, "works", json!({"type": "object", "properties": {"n": {"type": ["integer", "string"]}, "title": {"type": "string"}}}));
        let works = on.aux("works");
        fill(&works, 2500);
        for late in [
            json!({"id": "02499", "n": "17"}),
            json!({"id": "02499", "extra": true}),
            json!({"id": "02499", "title": "x", "size": {"w": 1.5, "h": null}}),
            json!({"id": "02499", "size": 5}),
        ] {
            works.bulk_upsert([Ok(late.clone())], BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
            let mut told = Vec::new();
            let rows = works.export(&file, ExportOptions::default(), &mut |done, _| {
                told.push(done);
                Ok(())
            });
            assert_eq!((rows.unwrap(), told.last(), told.is_sorted()), (2500, Some(&2500), true));
            let done = works.import(&file, &ImportOptions::default(), &mut |_, _| Ok(())).unwrap();
            assert_eq!((done.unchanged, done.updated), (2500, 0), "{late}");
        }
        let header = std::fs::read_to_string(&file).unwrap().lines().next().unwrap().to_owned();
        assert_eq!(header, "id,extra\\:json,n,size\\:json,title");
    });
}

/// Whatever the order they came in, and on either database.
fn same_bytes(env: &Env) {
    let (_kept, file) = temp_file("out");
    let documents: Vec<Value> = (0..300)
        .map(|n| json!({"id": format!("é{}", n * 7919 % 300), "f": 1e16 + f64::from(n), "s": ["=1", "\u{1f}"], "o": {"z": null, "a": n}, "big": u64::MAX, format!("k{}", n % 7): ""}))
        .collect();
    let other = Store::open(":memory:", Options::default()).unwrap();
    let address = "assets".to_owned();
    env.within(|on| {
        on.presets().bind(&BindPreset { table: "copies".to_owned(), address, ..BindPreset::default() }).unwrap();
        let (here, copies, there) = (on.aux("assets"), on.aux("copies"), other.aux("p", "assets"));
        let quiet = &mut |_, _| Ok(());
        here.bulk_upsert(documents.iter().cloned().map(Ok), BulkOptions::default(), quiet).unwrap();
        there.bulk_upsert(documents.iter().cloned().map(Ok), BulkOptions::default(), quiet).unwrap();
        documents.iter().rev().for_each(|document| drop(copies.create(document.clone(), None).unwrap()));
        for (_, ending) in FORMATS {
            let bytes = |aux: &Aux<'_>| {
                let path = file.with_extension(ending);
                export(aux, &path).unwrap();
                std::fs::read(path).unwrap()
            };
            let first = bytes(&here);
            assert!(first == bytes(&here) && first == bytes(&copies) && first == bytes(&there), "{ending}");
        }
    });
}

fn own_file(env: &Env) {
    let store = env.open();
    let assets = store.aux("p", "assets");
    fill(&assets, 3);
    if env.backend() != Backend::SqliteFile {
        // No file is the store's own.
        let (_kept, file) = temp_file("store.db");
        let csv = ExportOptions { format: Some(Format::Csv), ..ExportOptions::default() };
        assert_eq!(assets.export(&file, csv, &mut |_, _| Ok(())).unwrap(), 3);
        return;
    }
    let path = PathBuf::from(env.url());
    let link = path.with_file_name("link.csv");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let wal = PathBuf::from(format!("{}-wal", env.url()));
    for own in [path, wal, link] {
        let csv = ExportOptions { format: Some(Format::Csv), ..ExportOptions::default() };
        let error = assets.export(&own, csv, &mut |_, _| Ok(())).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error}");
        assert!(error.message().contains("the store itself"), "{error}");
    }
    assert_eq!(count(&assets), 3);
}
