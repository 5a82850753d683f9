//! Presets: versions, addresses, bindings, what travels between stores.

use serde_json::{Value as Document, json};
use sprongus::presets::{
    BUILTINS, BindPreset, BindReport, BindRunPreset, BoundPreset, CreatePreset, ExportPresets, ImportPresets,
    ImportedPresets, ListPresets, Preset, PresetImportMode, PresetItem, PresetKind, ValidatePayload,
};
use sprongus::{Error, ErrorCode, Json, Scope, Timestamp, Value};
use sprongus_conformance::{Case, Env, Face};

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, covers, run| Case { name, covers, transactional: true, run };
    let store = |name, covers, run| Case { name, covers, transactional: false, run };
    vec![
        case(
            "presets::labels_name_the_newest_published_version",
            &["presets.create", "presets.publish", "presets.get"],
            addresses,
        ),
        case("presets::definitions_come_back_as_they_were", &["presets.create", "presets.get"], definitions_live),
        case("presets::versions_never_change", &["presets.create"], versions),
        case("presets::bad_definitions_write_nothing", &["presets.create"], bad_definitions),
        case("presets::lists_are_paged_in_order", &["presets.list"], lists),
        case("presets::what_is_bound_is_not_deleted", &["presets.delete"], deletes),
        case("presets::binding_checks_what_is_stored", &["presets.bind"], binding_checks),
        case("presets::binding_sees_twins_of_unique_values", &["presets.bind"], binding_twins),
        case("presets::binding_looks_at_ids_and_strict_references", &["presets.bind"], binding_links),
        case("presets::projects_bind_for_themselves", &["presets.bind", "presets.bound"], projects_bind),
        case("presets::kinds_fit_their_tables", &["presets.bind", "presets.bind_run"], kinds_fit),
        case("presets::documents_are_judged_as_given", &["presets.validate"], judged),
        case("presets::presets_travel", &["presets.export", "presets.import"], travel),
        case("presets::changes_are_events", &["presets.publish", "presets.bind"], events),
        store("presets::rivals_get_a_version_each", &["presets.create"], rivals),
        store("presets::tables_are_bound_side_by_side", &["presets.bind"], bound_side_by_side),
        store("presets::binding_waits_for_who_writes", &["presets.bind", "aux.create"], waits),
        store("presets::handles_hold_scopes", &["presets.create", "presets.get"], scopes),
    ]
}

fn json(value: Document) -> Json {
    Json::from_value(&value).unwrap()
}

fn titled() -> Json {
    json(json!({ "fields": [{ "name": "title", "type": "string", "required": true }], "additional": true }))
}

fn create(on: Face<'_, '_>, label: &str) -> Preset {
    on.presets().create(&CreatePreset::new(label, PresetKind::Custom, titled())).unwrap()
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorCode {
    result.unwrap_err().code()
}

fn bind(table: &str, address: &str) -> BindPreset {
    BindPreset { table: table.to_owned(), address: address.to_owned(), ..BindPreset::default() }
}

/// An entry as the aux store keeps it.
fn entry(on: Face<'_, '_>, project: &str, id: &str, payload: Document) {
    let sql = "INSERT INTO sprongus_aux_entries (project_id, table_name, id, payload, hash, version, last_updated, actor) \
               VALUES ($1, 'works', $2, $3, $4, 1, $5, 'a')";
    let payload = json(payload);
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let params = [project.into(), id.into(), Value::json(payload.as_str()), payload.hash().to_vec().into(), now.into()];
    on.execute(sql, &params).unwrap();
}

fn addresses(env: &Env) {
    env.within(|on| {
        let first = create(on, "paper");
        assert_eq!((first.version, first.kind, first.published_at.is_some()), (1, PresetKind::Custom, true));
        let draft = CreatePreset { publish: false, ..CreatePreset::new("paper", PresetKind::Custom, titled()) };
        let second = on.presets().create(&draft).unwrap();
        assert_eq!((second.version, second.published_at), (2, None));
        let get = |address: &str| on.presets().get(address).unwrap();
        assert_eq!(get("paper"), first);
        assert_eq!(get("paper@2"), second);
        assert_eq!(get(&second.id), second);
        let published = on.presets().publish("paper@2").unwrap();
        assert!(published.published_at.is_some());
        assert_eq!(get("paper"), published);
        assert_eq!(on.presets().publish("paper@2").unwrap(), published);
        assert_eq!(get("paper@1"), first);
        for missing in ["paper@3", "nobody", "assets@2"] {
            assert_eq!(code(on.presets().get(missing)), ErrorCode::NotFound);
        }
        for bad in ["", "paper@", "paper@0", "a b", "paper@1@2"] {
            assert_eq!(code(on.presets().get(bad)), ErrorCode::InvalidArgument);
        }
        let built_in = get("assets");
        assert_eq!((built_in.version, built_in.kind, &get(&built_in.id)), (1, PresetKind::Assets, &built_in));
    });
}

fn definitions_live(env: &Env) {
    env.within(|on| {
        let text = r#"{"description":"ß \u0001 \"","enum":[1,1.0,1e16,-0.0,18446744073709551615,{"b":1,"a":[null]}]}"#;
        let definition = Json::parse(text).unwrap();
        let made = on.presets().create(&CreatePreset::new("odd", PresetKind::Custom, definition.clone())).unwrap();
        assert_eq!(made.definition, definition);
        assert_eq!(on.presets().get("odd").unwrap(), made);
    });
}

fn versions(env: &Env) {
    env.within(|on| {
        let at = |label: &str, version: i64| {
            let request =
                CreatePreset { version: Some(version), ..CreatePreset::new(label, PresetKind::Custom, titled()) };
            on.presets().create(&request)
        };
        assert_eq!(at("a", 7).unwrap().version, 7);
        assert_eq!(create(on, "a").version, 8);
        assert_eq!(code(at("a", 7)), ErrorCode::Conflict);
        assert_eq!(code(at("assets", 1)), ErrorCode::Conflict);
        assert_eq!(create(on, "assets").version, 2);
        assert_eq!(on.presets().get("assets").unwrap().version, 2);
        for bad in [0, -1, i64::MIN] {
            assert_eq!(code(at("a", bad)), ErrorCode::InvalidArgument);
        }
        at("full", i64::MAX).unwrap();
        assert_eq!(
            code(on.presets().create(&CreatePreset::new("full", PresetKind::Custom, titled()))),
            ErrorCode::InvalidArgument
        );
    });
}

fn bad_definitions(env: &Env) {
    env.within(|on| {
        let create = |label: &str, definition: Document| {
            on.presets().create(&CreatePreset::new(label, PresetKind::Custom, json(definition))).unwrap_err()
        };
        let remote = create("a", json!({ "$ref": "https://example.com/schema.json" }));
        assert_eq!((remote.code(), remote.violations_list()[0].keyword.as_str()), (ErrorCode::Validation, "$ref"));
        let faults =
            create("a", json!({ "fields": [{ "name": "id", "type": "string" }, { "name": "b", "type": "text" }] }));
        let paths: Vec<String> = faults.violations_list().into_iter().map(|one| one.path).collect();
        assert_eq!(paths, ["/fields/0/name", "/fields/1/type"]);
        assert_eq!(create("a", json!("text")).code(), ErrorCode::Validation);
        assert_eq!(create("a", json!({ "description": "x".repeat(1 << 20) })).code(), ErrorCode::TooLarge);
        for label in ["", "-a", "a b", "a@1", "builtin-assets", "ä", "a\u{0}", &"a".repeat(65)] {
            assert_eq!(create(label, json!(true)).code(), ErrorCode::InvalidArgument, "{label:?}");
        }
        assert_eq!(on.presets().export(&ExportPresets::default()).unwrap(), []);
    });
}

fn lists(env: &Env) {
    env.within(|on| {
        for label in ["b", "a", "Z", "a", "citations.x", "a"] {
            create(on, label);
        }
        let mut wanted = ["Z@1", "a@1", "a@2", "a@3", "b@1", "citations.x@1"].map(str::to_owned).to_vec();
        wanted.extend(BUILTINS.iter().map(|builtin| format!("{}@1", builtin.label)));
        wanted.sort_by(|a, b| a.split('@').cmp(b.split('@')));
        let list = |request: &ListPresets| {
            let page = on.presets().list(request).unwrap();
            (page.items.iter().map(Preset::address).collect::<Vec<_>>(), page.next_cursor)
        };
        assert_eq!(list(&ListPresets::default()), (wanted.clone(), None));
        for limit in 1..=wanted.len() as i64 {
            let mut request = ListPresets { limit: Some(limit), ..ListPresets::default() };
            let mut seen = Vec::new();
            loop {
                let (page, cursor) = list(&request);
                assert!(page.len() as i64 <= limit && !page.is_empty());
                seen.extend(page);
                request.cursor = cursor;
                if request.cursor.is_none() {
                    break;
                }
            }
            assert_eq!(seen, wanted, "pages of {limit}");
        }
        assert_eq!(list(&ListPresets { limit: Some(0), ..ListPresets::default() }).0, Vec::<String>::new());
        let prefixed = ListPresets { label_prefix: Some("citations".to_owned()), ..ListPresets::default() };
        assert_eq!(list(&prefixed).0, ["citations@1", "citations.x@1"]);
        let kind = ListPresets { kind: Some(PresetKind::Storyboard), ..ListPresets::default() };
        assert_eq!(list(&kind).0, ["storyboard@1"]);
        for prefix in ["%", "_", "ä", "'", "\0", &"a".repeat(70)] {
            let odd = ListPresets { label_prefix: Some(prefix.to_owned()), ..ListPresets::default() };
            assert_eq!(list(&odd).0, Vec::<String>::new());
        }
        for bad in [-1, 1_001] {
            let request = ListPresets { limit: Some(bad), ..ListPresets::default() };
            assert_eq!(code(on.presets().list(&request)), ErrorCode::InvalidArgument);
        }
        let stray = ListPresets { cursor: Some("stray".to_owned()), ..ListPresets::default() };
        assert_eq!(code(on.presets().list(&stray)), ErrorCode::InvalidArgument);
    });
}

fn deletes(env: &Env) {
    env.within(|on| {
        create(on, "a");
        create(on, "a");
        on.presets().bind(&bind("works", "a@1")).unwrap();
        let refused = on.presets().delete("a@1").unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Conflict);
        assert!(refused.message().contains("works"), "{refused}");
        on.presets().delete("a").unwrap();
        assert_eq!(code(on.presets().get("a@2")), ErrorCode::NotFound);
        on.presets().bind(&bind("works", "citations")).unwrap_or_else(|error| panic!("{error}"));
        on.presets().delete("a@1").unwrap();
        assert_eq!(code(on.presets().delete("a@1")), ErrorCode::NotFound);
        assert_eq!(code(on.presets().delete("assets")), ErrorCode::Conflict);
    });
}

fn binding_checks(env: &Env) {
    env.within(|on| {
        create(on, "titled");
        entry(on, "p", "1", json!({ "title": "a" }));
        entry(on, "p", "2", json!({ "title": 1 }));
        entry(on, "q", "3", json!({}));
        let dry = BindPreset { dry_run: true, ..bind("works", "titled") };
        let report = on.presets().bind(&dry).unwrap();
        assert_eq!((report.checked, report.failing, report.bound), (3, 2, false));
        let told: Vec<_> =
            report.errors.iter().map(|one| (one.id.as_deref(), one.path.as_str(), one.keyword.as_str())).collect();
        assert_eq!(told, [(Some("2"), "/title", "type"), (Some("3"), "/title", "required")]);
        let refused = on.presets().bind(&bind("works", "titled")).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Conflict);
        let details: BindReport = serde_json::from_value(refused.details().unwrap().clone()).unwrap();
        assert_eq!(details, report);
        let bound = BoundPreset { table: "works".to_owned(), project: None };
        assert_eq!(code(on.presets().bound(&bound)), ErrorCode::NotFound);
        let of_q = BindPreset { project: Some("q".to_owned()), ..dry };
        assert_eq!(on.presets().bind(&of_q).unwrap().checked, 1);
        let forced = on.presets().bind(&BindPreset { force: true, ..bind("works", "titled") }).unwrap();
        assert_eq!((forced.failing, forced.bound), (2, true));
        assert_eq!(on.presets().bound(&bound).unwrap().label, "titled");
        for index in 0..120 {
            entry(on, "r", &format!("{index:03}"), json!({}));
        }
        let many = on.presets().bind(&BindPreset { dry_run: true, ..bind("works", "titled") }).unwrap();
        assert_eq!((many.checked, many.failing, many.errors.len()), (123, 122, 100));
    });
}

fn binding_twins(env: &Env) {
    env.within(|on| {
        let definition = json(json!({ "properties": { "n": { "x-unique": true } } }));
        on.presets().create(&CreatePreset::new("unique", PresetKind::Custom, definition)).unwrap();
        entry(on, "p", "1", json!({ "n": 1 }));
        entry(on, "p", "2", json!({ "n": 1.0 }));
        entry(on, "q", "3", json!({ "n": 1 }));
        entry(on, "p", "4", json!({ "n": "1" }));
        entry(on, "p", "5", json!({ "n": null }));
        entry(on, "p", "6", json!({ "n": null }));
        entry(on, "p", "7", json!({}));
        let report = on.presets().bind(&BindPreset { dry_run: true, ..bind("works", "unique") }).unwrap();
        let told: Vec<_> =
            report.errors.iter().map(|one| (one.id.as_deref(), one.path.as_str(), one.keyword.as_str())).collect();
        assert_eq!((report.checked, told), (7, vec![(Some("2"), "/n", "unique")]));
    });
}

fn binding_links(env: &Env) {
    env.within(|on| {
        let strict = json!({ "type": "array", "items": { "x-ref": { "table": "works", "strict": true } } });
        let definition =
            json!({ "properties": { "isbn": { "x-id": true }, "near": { "x-ref": "works" }, "of": strict } });
        on.presets().create(&CreatePreset::new("linked", PresetKind::Custom, self::json(definition))).unwrap();
        entry(on, "p", "1", json!({ "isbn": "1", "of": ["1", "2"], "near": "lost" }));
        entry(on, "p", "2", json!({ "isbn": "3" }));
        entry(on, "p", "3", json!({ "of": ["2", "lost", "x".repeat(10_000)] }));
        entry(on, "q", "4", json!({ "of": ["1"], "isbn": 4 }));
        let report = on.presets().bind(&BindPreset { dry_run: true, ..bind("works", "linked") }).unwrap();
        let told: Vec<_> = report
            .errors
            .iter()
            .map(|one| (one.id.as_deref().unwrap(), one.path.as_str(), one.keyword.as_str()))
            .collect();
        let wanted =
            [("2", "/isbn", "reserved"), ("3", "/of/1", "x-ref"), ("3", "/of/2", "x-ref"), ("4", "/of/0", "x-ref")];
        assert_eq!((report.failing, told), (3, wanted.to_vec()));
        let forced = BindPreset { project: Some("p".to_owned()), force: true, ..bind("works", "linked") };
        assert_eq!(on.presets().bind(&forced).unwrap().checked, 3);
    });
}

fn projects_bind(env: &Env) {
    env.within(|on| {
        create(on, "all");
        create(on, "own");
        let bound = |table: &str, project: Option<&str>| {
            let request = BoundPreset { table: table.to_owned(), project: project.map(str::to_owned) };
            on.presets().bound(&request).map(|preset| preset.label)
        };
        for built_in in ["assets", "citations", "storyboard"] {
            assert_eq!(bound(built_in, Some("p")).unwrap(), built_in);
        }
        let unbound = bound("works", Some("p")).unwrap_err();
        assert_eq!(unbound.code(), ErrorCode::NotFound);
        assert!(unbound.message().contains("presets.bind"), "{unbound}");
        entry(on, "p", "1", json!({}));
        let own = BindPreset { project: Some("p".to_owned()), force: true, ..bind("works", "own") };
        on.presets().bind(&own).unwrap();
        // What has a binding of its own is not asked.
        assert_eq!(on.presets().bind(&bind("works", "all")).unwrap().checked, 0);
        assert_eq!(bound("works", Some("p")).unwrap(), "own");
        assert_eq!(bound("works", Some("q")).unwrap(), "all");
        assert_eq!(bound("works", None).unwrap(), "all");
        on.presets().bind(&bind("assets", "all")).unwrap();
        assert_eq!(bound("assets", Some("p")).unwrap(), "all");
        on.presets().bind(&bind("assets", "assets")).unwrap();
        assert_eq!(bound("assets", Some("p")).unwrap(), "assets");
        assert_eq!(code(bound("", None)), ErrorCode::InvalidArgument);
        assert_eq!(code(bound("works", Some(""))), ErrorCode::InvalidArgument);
    });
}

fn kinds_fit(env: &Env) {
    env.within(|on| {
        on.presets().create(&CreatePreset::new("input", PresetKind::RunInput, titled())).unwrap();
        on.presets().create(&CreatePreset::new("cites", PresetKind::Citations, titled())).unwrap();
        let draft = CreatePreset { publish: false, ..CreatePreset::new("draft", PresetKind::Custom, titled()) };
        on.presets().create(&draft).unwrap();
        create(on, "custom");
        let to_table = |table: &str, address: &str| code(on.presets().bind(&bind(table, address)));
        assert_eq!(to_table("works", "input"), ErrorCode::InvalidArgument);
        assert_eq!(to_table("assets", "cites"), ErrorCode::InvalidArgument);
        assert_eq!(to_table("works", "draft@1"), ErrorCode::InvalidState);
        assert_eq!(to_table("works", "nobody"), ErrorCode::NotFound);
        assert_eq!(to_table("", "custom"), ErrorCode::InvalidArgument);
        assert_eq!(to_table("a\u{7}", "custom"), ErrorCode::InvalidArgument);
        on.presets().bind(&bind("citations", "cites")).unwrap();
        on.presets().bind(&bind("references", "cites")).unwrap();
        let to_run = |kind: &str, address: &str| {
            let request = BindRunPreset { kind: kind.to_owned(), address: address.to_owned(), project: None };
            on.presets().bind_run(&request)
        };
        to_run("works", "input").unwrap();
        assert_eq!(code(to_run("works", "custom")), ErrorCode::InvalidArgument);
        assert_eq!(code(to_run("", "input")), ErrorCode::InvalidArgument);
        assert_eq!(code(on.presets().delete("input")), ErrorCode::Conflict);
        // A table and a kind of runs may share a name.
        let table = BoundPreset { table: "works".to_owned(), project: None };
        assert_eq!(code(on.presets().bound(&table)), ErrorCode::NotFound);
    });
}

fn judged(env: &Env) {
    env.within(|on| {
        let definition =
            json(json!({ "fields": [{ "name": "a", "type": "integer", "required": true, "default": 1 }] }));
        on.presets().create(&CreatePreset::new("d", PresetKind::Custom, definition)).unwrap();
        let judge = |payload: Document| {
            let request = ValidatePayload { address: "d".to_owned(), payload: json(payload) };
            let found = on.presets().validate(&request).unwrap();
            found.into_iter().map(|one| (one.path, one.keyword)).collect::<Vec<_>>()
        };
        assert_eq!(judge(json!({ "a": 1.0 })), []);
        let pair = |path: &str, keyword: &str| (path.to_owned(), keyword.to_owned());
        assert_eq!(judge(json!({ "b": 1 })), [pair("/a", "required"), pair("/b", "additionalProperties")]);
        assert_eq!(judge(json!([])), [pair("", "type")]);
        let nobody = ValidatePayload { address: "nobody".to_owned(), payload: Json::null() };
        assert_eq!(code(on.presets().validate(&nobody)), ErrorCode::NotFound);
    });
}

fn travel(env: &Env) {
    env.within(|on| {
        create(on, "a");
        let draft = CreatePreset { publish: false, ..CreatePreset::new("a", PresetKind::RunInput, json(json!(true))) };
        on.presets().create(&draft).unwrap();
        let items = on.presets().export(&ExportPresets::default()).unwrap();
        assert_eq!(items.iter().map(|one| (one.version, one.published)).collect::<Vec<_>>(), [(1, true), (2, false)]);
        let import = |items: &[PresetItem], mode| on.presets().import(&ImportPresets { items: items.to_vec(), mode });
        let done = |created, updated, unchanged, deleted| ImportedPresets { created, updated, unchanged, deleted };
        assert_eq!(import(&items, PresetImportMode::Merge).unwrap(), done(0, 0, 2, 0));
        on.presets().delete("a@1").unwrap();
        on.presets().delete("a@2").unwrap();
        assert_eq!(import(&items, PresetImportMode::Merge).unwrap(), done(2, 0, 0, 0));
        assert_eq!(on.presets().export(&ExportPresets::default()).unwrap(), items);

        let other =
            |index: usize| PresetItem { definition: json(json!({ "maxProperties": 3 })), ..items[index].clone() };
        let new = PresetItem { label: "new".to_owned(), ..items[0].clone() };
        assert_eq!(code(import(&[new.clone(), other(0)], PresetImportMode::Merge)), ErrorCode::Conflict);
        assert_eq!(code(on.presets().get("new")), ErrorCode::NotFound);
        let published = PresetItem { published: true, ..other(1) };
        assert_eq!(import(std::slice::from_ref(&published), PresetImportMode::Merge).unwrap(), done(0, 1, 0, 0));
        assert_eq!(on.presets().get("a").unwrap().definition, published.definition);
        let broken = PresetItem { definition: json(json!({ "type": 1 })), ..new.clone() };
        let error = import(&[new.clone(), broken], PresetImportMode::Merge).unwrap_err();
        assert_eq!(
            (error.code(), error.violations_list()[0].path.as_str()),
            (ErrorCode::Validation, "/1/definition/type")
        );

        on.presets().bind(&bind("works", "a@1")).unwrap();
        assert_eq!(code(import(std::slice::from_ref(&new), PresetImportMode::Replace)), ErrorCode::Conflict);
        assert_eq!(on.presets().export(&ExportPresets::default()).unwrap().len(), 2);
        assert_eq!(import(&[items[0].clone(), new], PresetImportMode::Replace).unwrap(), done(1, 0, 1, 1));
        let labels: Vec<_> =
            on.presets().export(&ExportPresets::default()).unwrap().into_iter().map(|one| one.label).collect();
        assert_eq!(labels, ["a", "new"]);
    });
}

fn events(env: &Env) {
    env.within(|on| {
        create(on, "a");
        on.presets().publish("a").unwrap();
        on.presets().bind(&bind("works", "a")).unwrap();
        on.presets().bind(&bind("works", "a")).unwrap();
        on.presets().bind(&BindPreset { dry_run: true, ..bind("other", "a") }).unwrap();
        let sql = "SELECT subject, seq, type FROM sprongus_events ORDER BY seq";
        let told: Vec<Vec<Value<'static>>> =
            on.query(sql, &[]).unwrap().into_iter().map(sprongus::Row::into_values).collect();
        let row = |seq: i64, kind: &'static str| vec![Value::text("preset:a@1"), Value::Int(seq), Value::text(kind)];
        assert_eq!(told, [row(1, "preset.published"), row(2, "preset.bound")]);
    });
}

fn rivals(env: &Env) {
    let store = env.open();
    let versions = std::thread::scope(|scope| {
        let made = |_| scope.spawn(|| (0..5).map(|_| create(Face::Store(&store), "a").version).collect::<Vec<_>>());
        let threads: Vec<_> = (0..4).map(made).collect();
        let mut versions: Vec<i64> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        versions.sort_unstable();
        versions
    });
    assert_eq!(versions, (1..=20).collect::<Vec<i64>>());
}

fn bound_side_by_side(env: &Env) {
    let store = env.open();
    std::thread::scope(|scope| {
        for name in 0..4 {
            let store = &store;
            let bind_one = move |n| drop(store.presets().bind(&bind(&format!("t{name}.{n}"), "assets")).unwrap());
            scope.spawn(move || (0..5).for_each(bind_one));
        }
    });
    let rows =
        store.query("SELECT max(seq), count(*) FROM sprongus_events WHERE subject = 'preset:assets@1'", &[]).unwrap();
    assert_eq!(rows[0].values(), [Value::Int(20), Value::Int(20)]);
}

/// What a write under way was judged by holds until it is committed; then the binding sees what was written.
fn waits(env: &Env) {
    let store = env.open();
    create(Face::Store(&store), "paper");
    let binding = std::thread::scope(|scope| {
        let binding = store
            .transaction(|tx| {
                tx.aux("p", "assets").create(json!({}), Some("untitled"))?;
                let rival = store.clone();
                let binding = scope.spawn(move || rival.presets().bind(&bind("assets", "paper")));
                std::thread::sleep(std::time::Duration::from_millis(300));
                Ok(binding)
            })
            .unwrap();
        binding.join().unwrap()
    });
    assert_eq!(code(binding), ErrorCode::Conflict);
}

fn scopes(env: &Env) {
    let store = env.open();
    create(Face::Store(&store), "a");
    let reader = store.scoped("p", &[Scope::PresetsRead]).unwrap();
    assert_eq!(reader.presets().get("a").unwrap().label, "a");
    assert_eq!(
        code(reader.presets().create(&CreatePreset::new("b", PresetKind::Custom, titled()))),
        ErrorCode::PermissionDenied
    );
    assert_eq!(code(reader.presets().publish("a")), ErrorCode::PermissionDenied);
    assert_eq!(code(reader.presets().delete("a")), ErrorCode::PermissionDenied);
    assert_eq!(code(reader.presets().bind(&bind("works", "a"))), ErrorCode::PermissionDenied);
    let elsewhere = BoundPreset { table: "assets".to_owned(), project: Some("q".to_owned()) };
    assert_eq!(code(reader.presets().bound(&elsewhere)), ErrorCode::PermissionDenied);
    let other = store.scoped("p", &[Scope::RunsRead]).unwrap();
    assert_eq!(code(other.presets().get("a")), ErrorCode::PermissionDenied);
    assert_eq!(code(other.presets().list(&ListPresets::default())), ErrorCode::PermissionDenied);
}
