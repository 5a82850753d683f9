//! The records: created, changed, listed, read by who may.

use serde_json::json;
use sprongus::config::SetConfig;
use sprongus::projects::{CreateProject, InstallProject, ListProjects, ProjectId, UpdateProject};
use sprongus::runs::Enqueue;
use sprongus::{ErrorCode, Json, Options, Scope, Store};
use sprongus_conformance::{Backend, Case, Env};

use super::{call, case, get, named, rows, told};
use crate::runs::code;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("projects::a_record_is_kept_and_read", &["projects.create", "projects.get"], true, kept),
        case("projects::a_slug_is_made_from_the_name", &["projects.create"], true, slugs),
        case("projects::ids_and_slugs_are_taken_once", &["projects.create", "projects.update"], true, taken),
        case("projects::a_record_changes_and_tells_what", &["projects.update"], true, changed),
        case("projects::those_last_changed_are_listed_first", &["projects.list"], true, listed),
        case("projects::bad_requests_write_nothing", &["projects.create", "projects.update"], true, bad),
        case("projects::a_record_is_not_needed", &["projects.get"], true, not_needed),
        case("projects::a_scoped_handle_sees_its_own", &["projects.get", "projects.list"], false, scoped),
        case("projects::a_store_that_is_only_read_keeps_none", &["projects.create"], false, read_only),
        case("projects::the_doctor_lists_ids_without_a_record", &["store.doctor"], true, loose),
        case("projects::the_doors_take_json", &["projects.create", "projects.list"], true, door),
    ]
}

fn kept(env: &Env) {
    env.within(|on| {
        let made =
            on.projects().create(&CreateProject { owner: Some("ann".into()), ..named("p-1", "Harbour") }).unwrap();
        assert_eq!((made.id.as_str(), made.name.as_str(), made.slug.as_str()), ("p-1", "Harbour", "harbour"));
        assert_eq!((made.owner.as_deref(), made.status.as_str()), (Some("ann"), "active"));
        assert_eq!(made.created_at, made.updated_at);
        assert_eq!(get(on, "p-1"), made);
        let other = on.projects().create(&CreateProject::new("Harbour")).unwrap();
        assert_eq!((other.id.len(), other.owner), (26, None));
        assert_eq!(code(on.projects().get(&ProjectId::new("p-2"))), ErrorCode::NotFound);
        let event = ("project.created".to_owned(), json!({"name": "Harbour", "slug": "harbour"}));
        assert_eq!(told(on, "project:p-1"), [event]);
    });
}

fn slugs(env: &Env) {
    env.within(|on| {
        let slug = |name: &str| on.projects().create(&CreateProject::new(name)).unwrap().slug;
        assert_eq!(slug("Straße №5"), "strasse-no5");
        assert_eq!(slug("日本"), "project");
        assert_eq!(slug("日本"), "project-2");
        assert_eq!(slug("Project"), "project-3");
        assert_eq!(slug("Project 2"), "project-2-2");
        assert_eq!(slug("Project-x"), "project-x");
        assert_eq!(slug("project"), "project-4");
        let given = CreateProject { slug: Some("own-one".into()), ..CreateProject::new("Anything") };
        assert_eq!(on.projects().create(&given).unwrap().slug, "own-one");
        assert!(slug(&"ﷺ".repeat(28)).len() <= 64);
    });
}

fn taken(env: &Env) {
    env.within(|on| {
        on.projects().create(&named("p-1", "One")).unwrap();
        on.projects().create(&named("p-2", "Two")).unwrap();
        let before = rows(on, &["projects", "events"]);
        assert_eq!(code(on.projects().create(&named("p-1", "Other"))), ErrorCode::Conflict);
        let slug = CreateProject { slug: Some("two".into()), ..CreateProject::new("Three") };
        let error = on.projects().create(&slug).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Conflict);
        assert!(error.message().contains("the slug two"), "{}", error.message());
        let slug = UpdateProject { slug: Some("two".into()), ..UpdateProject::new("p-1") };
        assert_eq!(code(on.projects().update(&slug)), ErrorCode::Conflict);
        assert_eq!(rows(on, &["projects", "events"]), before);
        let own = UpdateProject { slug: Some("one".into()), ..UpdateProject::new("p-1") };
        on.projects().update(&own).unwrap();
        assert_eq!(rows(on, &["projects", "events"]), before, "its own slug is no change");
    });
}

fn changed(env: &Env) {
    env.within(|on| {
        let made = on.projects().create(&CreateProject { owner: Some("ann".into()), ..named("p-1", "One") }).unwrap();
        let change =
            UpdateProject { name: Some("Uno".into()), status: Some("archived".into()), ..UpdateProject::new("p-1") };
        let after = on.projects().update(&change).unwrap();
        assert_eq!((after.name.as_str(), after.slug.as_str(), after.status.as_str()), ("Uno", "one", "archived"));
        assert_eq!((after.owner.as_deref(), after.created_at), (Some("ann"), made.created_at));
        assert!(after.updated_at >= made.updated_at);
        assert_eq!(get(on, "p-1"), after);
        assert_eq!(on.projects().update(&change).unwrap(), after, "the same again is no change");
        let none = UpdateProject { owner: Some(String::new()), ..UpdateProject::new("p-1") };
        assert_eq!(on.projects().update(&none).unwrap().owner, None);
        let events = told(on, "project:p-1");
        let kinds: Vec<_> = events.iter().map(|(kind, _)| kind.as_str()).collect();
        assert_eq!(kinds, ["project.created", "project.updated", "project.updated"]);
        assert_eq!(events[1].1, json!({"name": "Uno", "status": "archived"}));
        assert_eq!(events[2].1, json!({"owner": null}));
        assert_eq!(code(on.projects().update(&UpdateProject::new("nobody"))), ErrorCode::NotFound);
    });
}

fn listed(env: &Env) {
    env.within(|on| {
        for n in 0..7 {
            let owner = Some(if n % 2 == 0 { "ann" } else { "bo" }.to_owned());
            on.projects().create(&CreateProject { owner, ..named(&format!("p-{n}"), "Any") }).unwrap();
        }
        on.projects().update(&UpdateProject { name: Some("First".into()), ..UpdateProject::new("p-2") }).unwrap();
        let mut all = on.projects().list(&ListProjects::default()).unwrap();
        assert_eq!((all.len(), &all.next_cursor), (7, &None));
        assert!(all.items.windows(2).all(|pair| (pair[0].updated_at, &pair[0].id) > (pair[1].updated_at, &pair[1].id)));
        let mut paged = Vec::new();
        let mut page = ListProjects { limit: 3, ..ListProjects::default() };
        loop {
            let got = on.projects().list(&page).unwrap();
            paged.extend(got.items);
            page.cursor = got.next_cursor;
            if page.cursor.is_none() {
                break;
            }
        }
        assert_eq!(paged, all.items);
        let of_bo = on.projects().list(&ListProjects { owner: Some("bo".into()), ..ListProjects::default() }).unwrap();
        all.items.retain(|project| project.owner.as_deref() == Some("bo"));
        assert_eq!((of_bo.items.len(), of_bo.items), (3, all.items));
        assert!(on.projects().list(&ListProjects { limit: 0, ..ListProjects::default() }).unwrap().is_empty());
        let first = on.projects().list(&ListProjects { limit: 1, ..ListProjects::default() }).unwrap();
        for bad in [
            ListProjects { limit: -1, ..ListProjects::default() },
            ListProjects { limit: 1_001, ..ListProjects::default() },
            ListProjects { owner: Some(String::new()), ..ListProjects::default() },
            ListProjects { cursor: Some("x".into()), ..ListProjects::default() },
            ListProjects { owner: Some("bo".into()), cursor: first.next_cursor.clone(), ..ListProjects::default() },
        ] {
            assert_eq!(code(on.projects().list(&bad)), ErrorCode::InvalidArgument, "{bad:?}");
        }
    });
}

fn bad(env: &Env) {
    env.within(|on| {
        on.projects().create(&named("p-1", "One")).unwrap();
        let before = rows(on, &["projects", "events"]);
        let long = "x".repeat(600);
        for name in ["", "a\u{0}b", "a\nb", &long] {
            assert_eq!(code(on.projects().create(&CreateProject::new(name))), ErrorCode::InvalidArgument);
            let change = UpdateProject { name: Some(name.to_owned()), ..UpdateProject::new("p-1") };
            assert_eq!(code(on.projects().update(&change)), ErrorCode::InvalidArgument);
            assert_eq!(code(on.projects().create(&named(name, "Name"))), ErrorCode::InvalidArgument);
            assert_eq!(code(on.projects().get(&ProjectId::new(name))), ErrorCode::InvalidArgument);
        }
        for slug in ["", "A", "a b", "-a", "a--b", "ä", "a/b", "a'; DROP TABLE sprongus_projects --", &long] {
            let create = CreateProject { slug: Some(slug.to_owned()), ..CreateProject::new("Name") };
            assert_eq!(code(on.projects().create(&create)), ErrorCode::InvalidArgument, "{slug}");
            let change = UpdateProject { slug: Some(slug.to_owned()), ..UpdateProject::new("p-1") };
            assert_eq!(code(on.projects().update(&change)), ErrorCode::InvalidArgument, "{slug}");
        }
        for status in ["", "Active", "on hold", "ä", &long] {
            let change = UpdateProject { status: Some(status.to_owned()), ..UpdateProject::new("p-1") };
            assert_eq!(code(on.projects().update(&change)), ErrorCode::InvalidArgument, "{status}");
        }
        let owner = CreateProject { owner: Some(String::new()), ..CreateProject::new("Name") };
        assert_eq!(code(on.projects().create(&owner)), ErrorCode::InvalidArgument);
        let install = InstallProject { project: Some(String::new()) };
        assert_eq!(code(on.projects().install(&install)), ErrorCode::InvalidArgument);
        assert_eq!(rows(on, &["projects", "events"]), before);
    });
}

fn not_needed(env: &Env) {
    env.within(|on| {
        let run = Enqueue { project: Some("later".into()), ..Enqueue::new("k", Json::null()) };
        on.runs().enqueue(&run).unwrap();
        on.aux_of("later", "assets").create(json!({"title": "x"}), Some("a")).unwrap();
        assert_eq!(code(on.projects().get(&ProjectId::new("later"))), ErrorCode::NotFound);
        on.projects().create(&named("later", "Later")).unwrap();
        assert_eq!(on.aux_of("later", "assets").get("a").unwrap().version, 1);
    });
}

fn loose(env: &Env) {
    env.within(|on| {
        let found = || {
            let report = call(on, "store.doctor", &json!({})).unwrap();
            let mut findings = report["findings"].as_array().unwrap().clone();
            findings.retain(|one| one["code"] == "projects_without_record");
            findings
        };
        let run = |project: &str| Enqueue { project: Some(project.into()), ..Enqueue::new("k", Json::null()) };
        on.runs().enqueue(&run("run-of")).unwrap();
        on.runs().enqueue(&Enqueue::new("of-none", Json::null())).unwrap();
        on.aux_of("entry-of", "assets").create(json!({"title": "x"}), None).unwrap();
        assert_eq!(found(), [] as [serde_json::Value; 0], "a host that keeps no records here is left in peace");
        on.projects().create(&named("known", "Known")).unwrap();
        on.runs().enqueue(&run("known")).unwrap();
        let set = SetConfig { project: Some("setting-of".into()), ..SetConfig::new("k", Json::null()) };
        on.config().set(&set).unwrap();
        let all = found();
        let message = all[0]["message"].as_str().unwrap();
        assert_eq!((all.len(), &all[0]["severity"]), (1, &json!("advice")));
        assert!(message.ends_with(": entry-of, run-of, setting-of"), "{message}");
        for id in ["entry-of", "run-of", "setting-of"] {
            on.projects().create(&named(id, id)).unwrap();
        }
        assert_eq!(found(), [] as [serde_json::Value; 0]);
    });
}

fn scoped(env: &Env) {
    let store = env.open();
    let mine = store.projects().create(&named("mine", "Mine")).unwrap();
    store.projects().create(&named("other", "Other")).unwrap();
    let handle = store.scoped("mine", Scope::DEFAULT).unwrap();
    assert_eq!(handle.projects().get(&ProjectId::new("mine")).unwrap(), mine);
    assert_eq!(code(handle.projects().get(&ProjectId::new("other"))), ErrorCode::NotFound);
    assert_eq!(handle.projects().list(&ListProjects::default()).unwrap().items, std::slice::from_ref(&mine));
    assert_eq!(code(handle.projects().create(&named("third", "Third"))), ErrorCode::PermissionDenied);
    assert_eq!(code(handle.projects().update(&UpdateProject::new("mine"))), ErrorCode::PermissionDenied);
    assert_eq!(code(handle.projects().install(&InstallProject::default())), ErrorCode::PermissionDenied);
    for cascade in [false, true] {
        let delete = sprongus::projects::DeleteProject { id: "mine".into(), cascade };
        assert_eq!(code(handle.projects().delete(&delete)), ErrorCode::PermissionDenied);
    }
    let blind = store.scoped("mine", &[Scope::RunsRead, Scope::RunsWrite]).unwrap();
    assert_eq!(code(blind.projects().get(&ProjectId::new("mine"))), ErrorCode::PermissionDenied);
    assert_eq!(code(blind.projects().list(&ListProjects::default())), ErrorCode::PermissionDenied);
    let admin = store.scoped("mine", &[Scope::Admin]).unwrap();
    assert_eq!(admin.projects().list(&ListProjects::default()).unwrap().len(), 2);
    assert_eq!(admin.projects().install(&InstallProject::default()).unwrap().tables.len(), 9);
    let bound =
        store.presets().bound(&sprongus::presets::BoundPreset { table: "repos".into(), project: Some("mine".into()) });
    assert_eq!(bound.unwrap().label, "repos", "in its own project");
    let elsewhere = sprongus::presets::BoundPreset { table: "repos".into(), project: Some("other".into()) };
    assert_eq!(code(store.presets().bound(&elsewhere)), ErrorCode::NotFound);
}

fn read_only(env: &Env) {
    if env.backend() == Backend::SqliteMemory {
        return; // there is nothing in it to read
    }
    env.open().projects().create(&named("p-1", "One")).unwrap();
    let store = Store::open(env.url(), Options { read_only: true, ..env.options() }).unwrap();
    assert_eq!(store.projects().get(&ProjectId::new("p-1")).unwrap().name, "One");
    assert_eq!(code(store.projects().create(&named("p-2", "Two"))), ErrorCode::PermissionDenied);
    assert_eq!(code(store.projects().update(&UpdateProject::new("p-1"))), ErrorCode::PermissionDenied);
    assert_eq!(code(store.projects().install(&InstallProject::default())), ErrorCode::PermissionDenied);
    let delete = sprongus::projects::DeleteProject::cascade("p-1");
    assert_eq!(code(store.projects().delete(&delete)), ErrorCode::PermissionDenied);
}

fn door(env: &Env) {
    env.within(|on| {
        let made = call(on, "projects.create", &json!({"name": "One", "id": "p-1", "owner": "ann"})).unwrap();
        assert_eq!((&made["slug"], &made["status"], &made["owner"]), (&json!("one"), &json!("active"), &json!("ann")));
        assert_eq!(made["createdAt"], made["updatedAt"]);
        assert_eq!(call(on, "projects.get", &json!({"id": "p-1"})).unwrap(), made);
        let renamed = call(on, "projects.update", &json!({"id": "p-1", "name": "Uno"})).unwrap();
        assert_eq!(renamed["name"], "Uno");
        let list = call(on, "projects.list", &json!({"owner": "ann"})).unwrap();
        assert_eq!(list, json!({"items": [renamed], "nextCursor": null}));
        let tables = call(on, "projects.install", &json!({"project": "p-1"})).unwrap();
        assert_eq!(tables["tables"].as_array().unwrap().len(), 9);
        assert_eq!(call(on, "projects.install", &json!({"project": "p-1"})).unwrap(), json!({"tables": []}));
        assert_eq!(call(on, "projects.delete", &json!({"id": "p-1"})), Err(ErrorCode::Referenced));
        assert_eq!(call(on, "projects.delete", &json!({"id": "p-1", "cascade": true})).unwrap(), json!(null));
        for (name, request) in [
            ("create", json!({})),
            ("create", json!({"name": 1})),
            ("create", json!({"name": "x", "more": 1})),
            ("get", json!({"id": null})),
            ("update", json!({"name": "x"})),
            ("list", json!({"limit": "1"})),
            ("delete", json!({"id": "p-1", "cascade": "yes"})),
            ("install", json!({"project": 1})),
        ] {
            assert!(call(on, &format!("projects.{name}"), &request).is_err(), "{name} {request}");
        }
    });
}
