//! CSV and JSON files as sources.

use std::fs;
use std::path::Path;

use serde_json::json;
use sprongus::aux_store::{ExportOptions, OnReferenced, PutProfile, SyncDiff, SyncOutcome, SyncTable, UpdateOptions};
use sprongus::{ErrorCode, Store};
use sprongus_conformance::{Backend, Case, Env, Face};
use sprongus_testkit::{data_dir, temp_file};

use super::case;
use super::scripted::{assets, diff};
use crate::aux_entries::bind;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("sync::a_csv_file_is_read_and_written", &["aux.sync"], csv),
        case("sync::json_and_ndjson_files_are_read_and_written", &["aux.sync"], json_files),
        case("sync::a_folder_holds_a_file_per_table", &["aux.sync", "providers.put"], folder),
        case("sync::a_file_without_ids_gets_them_when_it_is_written", &["aux.sync"], without_ids),
        case("sync::files_that_cannot_be_read_or_written", &["aux.sync"], unusable),
        case("sync::tate_artworks_stay_in_step_with_their_file", &["aux.sync"], artworks),
    ]
}

fn sync(store: &Store, provider: &str) -> sprongus::Result<SyncDiff> {
    let run = store.aux("p", "assets").sync(&SyncTable::new("assets", provider))?;
    Ok(diff(store, &run))
}

fn at(kind: &str, path: &Path) -> String {
    format!("{kind}:{}", path.display())
}

fn typed(store: &Store) {
    bind(
        Face::Store(store),
        "assets",
        json!({"type": "object", "properties": {"n": {"type": "integer"}, "title": {"type": "string"}, "tags": {"type": "array"}}}),
    );
}

fn csv(env: &Env) {
    let store = env.open();
    typed(&store);
    let (_kept, file) = temp_file("assets.csv");
    fs::write(&file, "id,title,n,size.w\na,001,1,9\nb,\"x, y\",2,\nc,old,3,\\N\n").unwrap();
    let csv = at("csv", &file);
    assert_eq!(sync(&store, &csv).unwrap().counts.created, 3);
    let table = store.aux("p", "assets");
    let here = json!({"a": {"title": "001", "n": 1, "size": {"w": "9"}}, "b": {"title": "x, y", "n": 2}, "c": {"title": "old", "n": 3, "size": {"w": null}}});
    assert_eq!(assets(&store), here);
    table.update("a", json!({"n": 10, "tags": ["q"]}), UpdateOptions::default()).unwrap();
    table.delete("b", OnReferenced::Restrict).unwrap();
    table.create(json!({"id": "d", "title": ""}), None).unwrap();
    fs::write(&file, "id,title,n,size.w\na,001,1,9\nb,\"x, y\",2,\nc,new,3,\n").unwrap();
    let found = sync(&store, &csv).unwrap();
    let counts = found.counts;
    assert_eq!((counts.updated, counts.pushed_created, counts.pushed_updated, counts.pushed_deleted), (1, 1, 1, 1));
    let wanted = "id,n,size.w,tags,title\na,10,9,\"[\"\"q\"\"]\",001\nc,3,,,new\nd,,,,\"\"\n";
    assert_eq!(fs::read_to_string(&file).unwrap(), wanted);
    assert!(sync(&store, &csv).unwrap().items.is_empty());
    let left: Vec<_> = fs::read_dir(file.parent().unwrap()).unwrap().collect();
    assert!(left.iter().all(|one| !one.as_ref().unwrap().file_name().to_string_lossy().starts_with(".sprongus")));
}

fn json_files(env: &Env) {
    for (name, text) in [
        ("assets.json", r#"[{"id": "a", "n": 1, "lastUpdated": "2020-01-01T00:00:00Z"}, {"id": "b", "n": 2}]"#),
        (
            "assets.ndjson",
            "{\"id\": \"a\", \"n\": 1, \"lastUpdated\": \"2020-01-01T00:00:00Z\"}\n\n{\"id\": \"b\", \"n\": 2}\n",
        ),
    ] {
        let env = Env::fresh(env.backend());
        let store = env.open();
        let (_kept, file) = temp_file(name);
        fs::write(&file, text).unwrap();
        let provider = at("json", &file);
        assert_eq!(sync(&store, &provider).unwrap().counts.created, 2);
        let table = store.aux("p", "assets");
        table.update("b", json!({"n": 2.5, "deep": {"x": [null, 1e300]}}), UpdateOptions::default()).unwrap();
        assert_eq!(sync(&store, &provider).unwrap().counts.pushed_updated, 1);
        assert!(fs::read_to_string(&file).unwrap().contains("2020-01-01"), "what was not pushed is as it was");
        assert!(sync(&store, &provider).unwrap().items.is_empty(), "{name}");
    }
}

fn folder(env: &Env) {
    let store = env.open();
    let (_kept, file) = temp_file("assets.csv");
    let folder = file.parent().unwrap();
    fs::write(&file, "id,title\na,x\n").unwrap();
    fs::write(folder.join("citations.ndjson"), "{\"id\":\"c\",\"title\":\"t\"}\n").unwrap();
    let put = |name: &str, kind: &str, config: serde_json::Value| {
        let config = config.as_object().cloned().unwrap();
        store.providers().put(&PutProfile { name: name.into(), kind: kind.into(), config }).unwrap();
    };
    put("tables", "csv", json!({"path": folder}));
    put("notes", "json", json!({"path": folder, "readOnly": true}));
    assert_eq!(sync(&store, "tables").unwrap().counts.created, 1);
    let run = store.aux("p", "citations").sync(&SyncTable::new("citations", "notes")).unwrap();
    assert_eq!(diff(&store, &run).counts.created, 1);
    store.aux("p", "citations").create(json!({"id": "own", "title": "t"}), None).unwrap();
    let run = store.aux("p", "citations").sync(&SyncTable::new("citations", "notes")).unwrap();
    assert_eq!(diff(&store, &run).counts.not_pushed, 1);
    let missing = store.aux("p", "storyboard").sync(&SyncTable::new("storyboard", "tables")).unwrap_err();
    assert!(missing.code() == ErrorCode::NotFound && missing.message().contains("storyboard.csv"));
    for (name, config) in [
        ("unknown", json!({"path": folder, "colour": "red"})),
        ("nowhere", json!({})),
        ("delimited", json!({"path": folder, "delimiter": "ab"})),
    ] {
        put(name, "csv", config);
        assert_eq!(sync(&store, name).unwrap_err().code(), ErrorCode::InvalidArgument, "{name}");
    }
    fs::write(&file, "id;title\na;x\nb;y\n").unwrap();
    put("semicolons", "csv", json!({"path": file, "delimiter": ";"}));
    store.aux("p", "assets").create(json!({"id": "own"}), None).unwrap();
    let counts = sync(&store, "semicolons").unwrap().counts;
    assert_eq!((counts.created, counts.not_pushed), (1, 1), "it would be written with commas, so it is not");
    bind(Face::Store(&store), "a/x", json!({"type": "object"}));
    let outside = store.aux("p", "a/x").sync(&SyncTable::new("a/x", "tables")).unwrap_err();
    assert_eq!(outside.code(), ErrorCode::InvalidArgument);
}

fn without_ids(env: &Env) {
    let store = env.open();
    let (_kept, file) = temp_file("assets.csv");
    fs::write(&file, "title\nx\ny\n").unwrap();
    let csv = at("csv", &file);
    assert_eq!(sync(&store, &csv).unwrap().counts.created, 2);
    let ids: Vec<String> = assets(&store).as_object().unwrap().keys().cloned().collect();
    store.aux("p", "assets").delete(&ids[0], OnReferenced::Restrict).unwrap();
    assert_eq!(sync(&store, &csv).unwrap().counts.pushed_deleted, 1);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("id,title\n") && text.contains(&ids[1]) && text.lines().count() == 2, "{text}");
    assert!(sync(&store, &csv).unwrap().items.is_empty());
}

fn unusable(env: &Env) {
    let store = env.open();
    typed(&store);
    let (_kept, file) = temp_file("assets.csv");
    let csv = at("csv", &file);
    let code = |store: &Store, provider: &str| sync(store, provider).unwrap_err().code();
    let missing = sync(&store, &csv).unwrap_err();
    assert!(missing.code() == ErrorCode::NotFound && missing.message().contains("assets.csv"));
    for broken in [&b""[..], b"id,title\na,\xe9\n", b"id,title\na,\"x\n", b"id,id\n1,2\n"] {
        fs::write(&file, broken).unwrap();
        let refused = sync(&store, &csv).unwrap_err();
        let known = [ErrorCode::Validation, ErrorCode::InvalidArgument, ErrorCode::ReservedField];
        assert!(known.contains(&refused.code()), "{refused}");
        assert_eq!(assets(&store), json!({}), "nothing of a file that breaks off");
    }
    fs::write(&file, "id,n\na,1\nb,x\nc\nd,4\n").unwrap();
    let found = sync(&store, &csv).unwrap();
    assert_eq!((found.counts.created, found.counts.errors), (2, 2));
    let refused: Vec<_> = found.items.iter().filter(|item| item.outcome == SyncOutcome::Refused).collect();
    assert_eq!((refused[0].id.as_deref(), refused[0].violations[0].row), (Some("b"), Some(2)));
    assert_eq!((refused[1].id.as_deref(), refused[1].violations[0].keyword.as_str()), (None, "csv"));
    store.aux("p", "assets").create(json!({"id": "own"}), None).unwrap();
    let before = fs::read(&file).unwrap();
    let unwritten = sync(&store, &csv).unwrap_err();
    assert!(unwritten.code() == ErrorCode::InvalidState && unwritten.message().contains("mend"), "{unwritten}");
    assert_eq!(fs::read(&file).unwrap(), before, "rows that cannot be read are not thrown away");
    assert_eq!(code(&store, &at("json", &file)), ErrorCode::InvalidArgument);
    assert_eq!(code(&store, "csv:"), ErrorCode::NotFound);
    if env.backend() == Backend::SqliteFile {
        assert_eq!(code(&store, &format!("csv:{}", env.url())), ErrorCode::InvalidArgument, "the store's own file");
    }
}

fn artworks(env: &Env) {
    let Some(folder) = data_dir() else { return };
    let store = env.open();
    let (_kept, file) = temp_file("artworks.csv");
    fs::copy(folder.join("assets/tate_artworks_500.csv"), &file).unwrap();
    let csv = at("csv", &file);
    assert_eq!(sync(&store, &csv).unwrap().counts.created, 500);
    let table = store.aux("p", "assets");
    table.update("1035", json!({"title": "changed"}), UpdateOptions::default()).unwrap();
    assert_eq!(sync(&store, &csv).unwrap().counts.pushed_updated, 1);
    assert!(sync(&store, &csv).unwrap().items.is_empty());
    let (_also, out) = temp_file("out.csv");
    table.export(&out, ExportOptions::default(), &mut |_, _| Ok(())).unwrap();
    let sorted = |path: &Path| {
        let mut lines: Vec<String> = fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&file), sorted(&out), "written as an export writes it");
}
