//! Who sees what.

use serde_json::json;
use sprongus::events::ReadEvents;
use sprongus::presets::{BindPreset, CreatePreset, PresetKind};
use sprongus::runs::Enqueue;
use sprongus::{ErrorCode, Json, Scope, Store};
use sprongus_conformance::{Case, Env};

use super::{after, case, code, drain, kinds, of_types};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("events::a_handle_sees_its_own_project_alone", &["events.read"], false, walls),
        case("events::a_handle_sees_the_types_it_may_read", &["events.read", "events.position"], false, families),
    ]
}

/// A run, an entry and a binding in two projects, and what belongs to the store.
fn two_projects(store: &Store) {
    let definition = Json::parse(r#"{"fields":[{"name":"n","type":"integer"}]}"#).unwrap();
    store.presets().create(&CreatePreset::new("numbers", PresetKind::Custom, definition)).unwrap();
    store.runs().enqueue(&Enqueue::new("no project", Json::null())).unwrap();
    for project in ["a", "b"] {
        let bind = BindPreset {
            table: "t".into(),
            address: "numbers".into(),
            project: Some(project.into()),
            ..BindPreset::default()
        };
        store.presets().bind(&bind).unwrap();
        store.aux(project, "t").create(json!({ "n": 1 }), Some("one")).unwrap();
        let run = Enqueue { project: Some(project.to_owned()), ..Enqueue::new("k", Json::null()) };
        store.runs().enqueue(&run).unwrap();
    }
}

fn walls(env: &Env) {
    let store = env.open();
    two_projects(&store);
    assert_eq!(drain(store.events(), &ReadEvents::default()).len(), 8);
    let scoped = store.scoped("a", Scope::DEFAULT).unwrap();
    let seen = drain(scoped.events(), &ReadEvents::default());
    assert_eq!(kinds(&seen), ["preset.bound", "aux.created", "run.enqueued"]);
    assert_eq!(seen[1].subject, "aux:a/t/one");
    let of = |project: &str| ReadEvents { project: Some(project.to_owned()), ..ReadEvents::default() };
    assert_eq!(drain(scoped.events(), &of("a")), seen);
    assert_eq!(code(scoped.events().read(&of("b"))), ErrorCode::PermissionDenied);
    let admin = store.scoped("a", &[Scope::Admin]).unwrap();
    assert_eq!(drain(admin.events(), &ReadEvents::default()), seen, "no project means the handle's own");
    assert_eq!(drain(admin.events(), &of("b")).len(), 3);
    let end = scoped.events().position().unwrap();
    assert!(drain(scoped.events(), &after(&end)).is_empty());
}

fn families(env: &Env) {
    let store = env.open();
    two_projects(&store);
    let families = [
        (Scope::RunsRead, "run.*", "run.enqueued"),
        (Scope::AuxRead, "aux.*", "aux.created"),
        (Scope::PresetsRead, "preset.*", "preset.bound"),
    ];
    for (scope, family, kind) in families {
        let one = store.scoped("a", &[scope]).unwrap();
        assert_eq!(kinds(&drain(one.events(), &ReadEvents::default())), [kind]);
        assert_eq!(kinds(&drain(one.events(), &of_types(&[family]))), [kind]);
        for (other, other_family, other_kind) in families.iter().filter(|(other, ..)| *other != scope) {
            for named in [*other_family, *other_kind] {
                let error = one.events().read(&of_types(&[family, named])).unwrap_err();
                assert_eq!(error.code(), ErrorCode::PermissionDenied, "{scope:?} names {named} of {other:?}");
            }
        }
        assert_eq!(code(one.events().read(&of_types(&["unheard.of"]))), ErrorCode::PermissionDenied);
        one.events().position().unwrap();
    }
    let none = store.scoped("a", &[Scope::RunsWrite, Scope::AuxWrite]).unwrap();
    assert_eq!(code(none.events().read(&ReadEvents::default())), ErrorCode::PermissionDenied);
    assert_eq!(code(none.events().position()), ErrorCode::PermissionDenied);
}
