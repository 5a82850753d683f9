//! The workspace data model: built-in presets that a project has installed, with what they require, keep unique, refer to and
//! find by keys (DESIGN.md §9a).

use serde_json::{Value, json};
use sprongus::aux_store::{BulkOptions, ListQuery, OnReferenced, UpdateOptions};
use sprongus::presets::{BUILTINS, BindPreset, BoundPreset, CreatePreset, PresetKind};
use sprongus::projects::{InstallProject, Installed};
use sprongus::{Error, ErrorCode};
use sprongus_conformance::{Case, Env, Face};

use crate::projects::rows;
use crate::runs::{code, json as parsed};

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, covers, transactional, run| Case { name, covers, transactional, run };
    const INSTALL: &[&str] = &["projects.install"];
    vec![
        case("workspace::a_project_has_its_tables_installed", INSTALL, true, installed),
        case("workspace::for_all_projects_at_once", INSTALL, true, for_all),
        case("workspace::a_hosts_own_presets_are_left_alone", INSTALL, true, left_alone),
        case("workspace::the_least_of_each_is_taken_and_less_is_not", &["aux.create"], true, required),
        case("workspace::a_file_ingested_again_changes_nothing", &["aux.upsert", "aux.bulk_upsert"], true, ingested),
        case("workspace::what_is_unique_is_so_in_its_project", &["aux.create"], true, unique),
        case("workspace::parts_belong_to_what_is_there", &["aux.create", "aux.delete"], true, parts),
        case("workspace::what_is_merely_named_may_be_missing", &["aux.create"], true, named),
        case("workspace::credentials_are_names_of_secrets", &["aux.create"], true, credentials),
        case("workspace::lists_come_in_the_order_that_is_wanted", &["aux.list"], true, ordered),
    ]
}

const TABLES: [&str; 9] = [
    "chat_messages",
    "chat_threads",
    "deployments",
    "file_chunks",
    "infra_resources",
    "project_files",
    "project_skills",
    "repos",
    "sandbox_jobs",
];

fn install(on: Face<'_, '_>, project: Option<&str>) -> Vec<String> {
    let Installed { tables } = on.projects().install(&InstallProject { project: project.map(str::to_owned) }).unwrap();
    tables
}

fn bound(on: Face<'_, '_>, table: &str, project: &str) -> Result<String, Error> {
    let of = BoundPreset { table: table.to_owned(), project: Some(project.to_owned()) };
    on.presets().bound(&of).map(|preset| preset.address())
}

fn sha(n: u64) -> String {
    format!("{n:064x}")
}

const AT: &str = "2026-01-02T03:04:05.000000Z";

/// The least that each table takes.
fn least(table: &str) -> Value {
    match table {
        "chat_messages" => json!({"threadId": "t-1", "role": "user", "content": "hello", "createdAt": AT}),
        "chat_threads" => json!({}),
        "deployments" => json!({"environment": "production"}),
        "file_chunks" => json!({"fileId": "f-1", "ordinal": 0, "text": "once"}),
        "infra_resources" => json!({"type": "database", "name": "main"}),
        "project_files" => json!({"name": "a.pdf", "sha256": sha(1)}),
        "project_skills" => json!({"name": "review"}),
        "repos" => json!({"url": "https://example.org/r", "name": "r"}),
        "sandbox_jobs" => json!({"runId": "01J", "type": "shell"}),
        other => panic!("{other} is no table of the workspace"),
    }
}

fn installed(env: &Env) {
    env.within(|on| {
        assert!(BUILTINS.iter().filter(|one| one.is_installed()).map(|one| one.label).eq(TABLES), "the list above");
        assert_eq!(code(on.aux("repos").create(least("repos"), None)), ErrorCode::NotFound);
        assert_eq!(install(on, Some("p")), TABLES);
        assert_eq!(install(on, Some("p")), [] as [&str; 0], "a second time is nothing");
        for table in TABLES {
            assert_eq!(bound(on, table, "p").unwrap(), format!("{table}@1"));
            assert_eq!(code(bound(on, table, "q")), ErrorCode::NotFound);
        }
        for table in ["assets", "citations", "storyboard"] {
            assert_eq!(bound(on, table, "q").unwrap(), format!("{table}@1"), "bound from the start");
        }
        on.aux("repos").create(least("repos"), None).unwrap();
        let events = on.query("SELECT DISTINCT subject FROM sprongus_events WHERE type = 'preset.bound'", &[]).unwrap();
        assert_eq!(events.len(), TABLES.len());
        let before = rows(on, &["bindings", "events"]);
        install(on, Some("p"));
        assert_eq!(rows(on, &["bindings", "events"]), before);
    });
}

fn for_all(env: &Env) {
    env.within(|on| {
        assert_eq!(install(on, Some("early")), TABLES);
        assert_eq!(install(on, None), TABLES, "for all that have none of their own");
        assert_eq!(install(on, Some("late")), [] as [&str; 0], "it has them already");
        for project in ["early", "late", "never-heard-of"] {
            on.aux_of(project, "chat_threads").create(json!({}), None).unwrap();
        }
    });
}

fn left_alone(env: &Env) {
    env.within(|on| {
        let own = parsed(r#"{"fields": [{"name": "url", "type": "string"}]}"#);
        on.presets().create(&CreatePreset::new("own-repo", PresetKind::Custom, own)).unwrap();
        let bind = |table: &str, project: Option<&str>| {
            let project = project.map(str::to_owned);
            let bind = BindPreset { table: table.into(), address: "own-repo".into(), project, ..BindPreset::default() };
            assert!(on.presets().bind(&bind).unwrap().bound);
        };
        bind("repos", Some("p"));
        bind("deployments", None);
        let rest: Vec<&str> = TABLES.into_iter().filter(|table| !["repos", "deployments"].contains(table)).collect();
        assert_eq!(install(on, Some("p")), rest);
        assert_eq!(bound(on, "repos", "p").unwrap(), "own-repo@1");
        assert_eq!(bound(on, "deployments", "p").unwrap(), "own-repo@1");
        // The host may take the built-in after all, and a label of the library's for its own.
        let builtin = BindPreset {
            table: "repos".into(),
            address: "repos".into(),
            project: Some("p".into()),
            ..BindPreset::default()
        };
        on.presets().bind(&builtin).unwrap();
        assert_eq!(bound(on, "repos", "p").unwrap(), "repos@1");
        let next = on.presets().create(&CreatePreset::new("repos", PresetKind::Custom, parsed("{}"))).unwrap();
        assert_eq!(next.address(), "repos@2");
        assert_eq!(install(on, Some("q")).len(), 8);
        assert_eq!(bound(on, "repos", "q").unwrap(), "repos@1");
    });
}

fn required(env: &Env) {
    env.within(|on| {
        install(on, Some("p"));
        // What others belong to comes first.
        let order = ["chat_threads", "project_files"].into_iter().chain(TABLES);
        for table in order {
            let id = match table {
                "chat_threads" => "t-1",
                "project_files" => "f-1",
                _ => "x-1",
            };
            let entry = on.aux(table).upsert(least(table), Some(id), false).unwrap();
            assert_eq!(entry.warnings, [], "{table}");
            let definition = BUILTINS.iter().find(|one| one.label == table).unwrap().definition().to_value();
            for field in definition["required"].as_array().unwrap() {
                let field = field.as_str().unwrap();
                let payload = entry.payload.to_value();
                assert!(payload.get(field).is_some(), "{table} has {field}, if only by default");
                let mut without = payload.clone();
                without.as_object_mut().unwrap().remove(field);
                if definition["properties"][field].get("default").is_some() {
                    continue;
                }
                let before = rows(on, &["aux_entries", "events"]);
                let refused = on.aux(table).create(without, Some("y")).unwrap_err();
                assert_eq!(refused.code(), ErrorCode::Validation, "{table} without {field}");
                let first = &refused.violations_list()[0];
                assert_eq!(
                    (first.path.as_str(), first.keyword.as_str()),
                    (&*format!("/{field}"), "required"),
                    "{table}"
                );
                let mut wrong = payload;
                wrong[field] = json!([[]]);
                if !["content"].contains(&field) {
                    let refused = on.aux(table).create(wrong, Some("y")).unwrap_err();
                    assert_eq!(refused.code(), ErrorCode::Validation, "{table}.{field}");
                }
                assert_eq!(rows(on, &["aux_entries", "events"]), before);
            }
            let more = on.aux(table).update(id, json!({"ownField": {"any": [1]}}), UpdateOptions::default()).unwrap();
            assert_eq!(more.payload.to_value()["ownField"], json!({"any": [1]}), "{table}: anything else is welcome");
        }
    });
}

fn ingested(env: &Env) {
    env.within(|on| {
        install(on, Some("p"));
        let file = |id: &str| {
            json!({"id": id, "name": "report.pdf", "sha256": sha(7), "extractionVersion": 3, "path": "/in/report.pdf"})
        };
        let chunk = |n: usize| json!({"id": format!("f-1:{n}"), "fileId": "f-1", "ordinal": n, "text": format!("part {n}")});
        let (files, chunks) = (on.aux("project_files"), on.aux("file_chunks"));
        let ingest = || {
            files.upsert(file("f-1"), None, false).unwrap();
            let items = (0..20).map(|n| Ok(chunk(n)));
            chunks.bulk_upsert(items, BulkOptions::default(), &mut |_, _| Ok(())).unwrap()
        };
        assert_eq!((ingest().created, files.get("f-1").unwrap().version), (20, 1));
        let tables = ["aux_entries", "aux_versions", "aux_keys", "aux_refs"];
        let before = rows(on, &tables);
        let again = ingest();
        assert_eq!((again.created, again.updated, again.unchanged), (0, 0, 20));
        // Under another id it is refused, and the one that is there is found by its content.
        let twice = files.create(file("f-2"), None).unwrap_err();
        assert_eq!((twice.code(), twice.violations_list()[0].keyword.as_str()), (ErrorCode::Conflict, "unique"));
        let other = chunks.create(json!({"fileId": "f-1", "ordinal": 3, "text": "again"}), Some("other")).unwrap_err();
        assert_eq!(other.code(), ErrorCode::Conflict);
        assert_eq!(rows(on, &tables), before);
        let filter = Some(json!({"sha256": sha(7), "extractionVersion": 3}));
        let found = files.list(&ListQuery { filter, ..ListQuery::default() }).unwrap();
        assert_eq!((found.len(), found[0].id.as_str()), (1, "f-1"));
        // Another version of the extraction is another entry.
        let mut newer = file("f-2");
        newer["extractionVersion"] = json!(4);
        files.create(newer, None).unwrap();
    });
}

fn unique(env: &Env) {
    env.within(|on| {
        install(on, None);
        for (table, same, other) in [
            ("project_skills", json!({"name": "review"}), json!({"name": "Review"})),
            (
                "repos",
                json!({"url": "https://example.org/r", "name": "other"}),
                json!({"url": "https://example.org/R", "name": "r"}),
            ),
            (
                "deployments",
                json!({"environment": "preview", "provider": "host", "externalId": "1"}),
                json!({"environment": "preview", "provider": "host", "externalId": "2"}),
            ),
            (
                "infra_resources",
                json!({"type": "x", "name": "x", "provider": "host", "externalId": "1"}),
                json!({"type": "x", "name": "x", "provider": "host2", "externalId": "1"}),
            ),
        ] {
            let mut first = least(table);
            first.as_object_mut().unwrap().extend(same.as_object().unwrap().clone());
            on.aux(table).create(first.clone(), Some("a")).unwrap();
            let taken = on.aux(table).create(same, Some("b")).unwrap_err();
            assert_eq!(taken.code(), ErrorCode::Conflict, "{table}");
            on.aux(table).create(other, Some("b")).unwrap();
            on.aux_of("q", table).create(first, Some("a")).unwrap();
        }
        for id in ["c", "d"] {
            on.aux("deployments").create(least("deployments"), Some(id)).unwrap();
        }
    });
}

fn parts(env: &Env) {
    env.within(|on| {
        install(on, Some("p"));
        for (table, of, field, id) in
            [("chat_messages", "chat_threads", "threadId", "t-1"), ("file_chunks", "project_files", "fileId", "f-1")]
        {
            let refused = on.aux(table).create(least(table), Some("x-1")).unwrap_err();
            assert_eq!(refused.code(), ErrorCode::Validation, "{table}");
            let first = &refused.violations_list()[0];
            assert_eq!((first.path.as_str(), first.keyword.as_str()), (&*format!("/{field}"), "x-ref"));
            on.aux(of).create(least(of), Some(id)).unwrap();
            on.aux(table).create(least(table), Some("x-1")).unwrap();
            let kept = on.aux(of).delete(id, OnReferenced::Restrict).unwrap_err();
            assert_eq!(kept.code(), ErrorCode::Referenced);
            assert_eq!(kept.details().unwrap()["referrers"][0]["table"], table);
            on.aux(table).delete("x-1", OnReferenced::Restrict).unwrap();
            on.aux(of).delete(id, OnReferenced::Restrict).unwrap();
        }
    });
}

fn named(env: &Env) {
    env.within(|on| {
        install(on, Some("p"));
        on.aux("chat_threads").create(json!({}), Some("t-1")).unwrap();
        for (table, more, path) in [
            ("deployments", json!({"repoId": "r-9"}), "/repoId"),
            ("infra_resources", json!({"deploymentId": "d-9"}), "/deploymentId"),
            ("sandbox_jobs", json!({"repoId": "r-9"}), "/repoId"),
            ("project_files", json!({"assetId": "a-9"}), "/assetId"),
            ("chat_messages", json!({"citationIds": ["c-9"]}), "/citationIds/0"),
            ("chat_messages", json!({"fileIds": ["f-9"]}), "/fileIds/0"),
            ("chat_messages", json!({"replyTo": "m-9"}), "/replyTo"),
        ] {
            let mut payload = least(table);
            payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let made = on.aux(table).upsert(payload, Some("x-1"), true).unwrap();
            let warned: Vec<_> = made.warnings.iter().map(|one| (one.path.as_str(), one.keyword.as_str())).collect();
            assert_eq!(warned, [(path, "dangling_ref")], "{table}");
        }
    });
}

fn credentials(env: &Env) {
    env.within(|on| {
        install(on, Some("p"));
        for table in ["repos", "infra_resources"] {
            let mut payload = least(table);
            payload["credentials"] = json!("hunter2");
            let refused = on.aux(table).create(payload.clone(), Some("x")).unwrap_err();
            assert!([ErrorCode::Validation, ErrorCode::SecretDetected].contains(&refused.code()), "{refused:?}");
            assert_eq!(refused.violations_list()[0].path, "/credentials");
            assert!(!refused.to_json().to_string().contains("hunter2"));
            payload["credentials"] = json!({"$secret": "DEPLOY_KEY"});
            on.aux(table).create(payload, Some("x")).unwrap();
        }
    });
}

/// Each list that the model has an index for, in its order, and not one entry of another.
fn ordered(env: &Env) {
    env.within(|on| {
        install(on, Some("p"));
        let time = |n: usize| format!("2026-01-02T03:04:{n:02}.000000Z");
        for thread in ["t-1", "t-2"] {
            on.aux("chat_threads").create(json!({"lastMessageAt": time(1)}), Some(thread)).unwrap();
        }
        for n in 0..12 {
            let thread = if n % 3 == 0 { "t-2" } else { "t-1" };
            let message = json!({"threadId": thread, "role": "user", "content": n.to_string(), "createdAt": time(30 - n)});
            on.aux("chat_messages").create(message, Some(&format!("m-{n:02}"))).unwrap();
            let job = json!({"runId": format!("r-{}", n % 2), "type": if n % 3 == 0 { "shell" } else { "python" }});
            on.aux("sandbox_jobs").create(job, Some(&format!("j-{n:02}"))).unwrap();
            let deployment = json!({"environment": "preview", "status": if n % 2 == 0 { "failed" } else { "succeeded" }, "createdAt": time(n)});
            on.aux("deployments").create(deployment, Some(&format!("d-{n:02}"))).unwrap();
        }
        let list = |table: &str, filter: Value, sort: &[&str]| {
            let sort = sort.iter().map(|field| (*field).to_owned()).collect();
            let query = ListQuery { filter: Some(filter), sort, ..ListQuery::default() };
            on.aux(table).list(&query).unwrap().items.into_iter().map(|entry| entry.id).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(list("chat_messages", json!({"threadId": "t-2"}), &["createdAt"]), "m-09 m-06 m-03 m-00");
        assert_eq!(list("chat_messages", json!({"threadId": "t-2"}), &["-createdAt"]), "m-00 m-03 m-06 m-09");
        assert_eq!(list("chat_messages", json!({"threadId": "t-2", "createdAt": {"gt": time(24)}}), &["createdAt"]), "m-03 m-00");
        assert_eq!(list("sandbox_jobs", json!({"runId": "r-0", "type": "shell"}), &[]), "j-00 j-06");
        assert_eq!(list("deployments", json!({"status": "failed"}), &["-createdAt"]), "d-10 d-08 d-06 d-04 d-02 d-00");
    });
}
