//! Three-way: created, updated, deleted on either side, and on both.

use serde_json::{Value, json};
use sprongus::aux_store::{Nulls, OnReferenced, Policy, SideChange, SyncDiff, SyncOutcome, SyncTable, UpdateOptions};
use sprongus::events::ReadEvents;
use sprongus::{ErrorCode, RunState, Store};
use sprongus_conformance::{Case, Env};

use super::case;
use super::scripted::{Source, asked, assets, diff, synced};
use crate::aux_entries::bind;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("sync::each_side_gets_what_the_other_changed", &["aux.sync"], both_ways),
        case("sync::equal_on_both_sides_is_no_conflict", &["aux.sync"], equal),
        case("sync::conflicts_are_listed_and_the_policy_decides", &["aux.sync"], policies),
        case("sync::delete_against_edit_is_a_conflict", &["aux.sync"], delete_against_edit),
        case("sync::the_newest_wins_where_both_tell_the_time", &["aux.sync"], newest),
        case("sync::a_dry_run_gives_the_same_diff_and_writes_nothing", &["aux.sync"], dry_run),
        case("sync::an_empty_pull_empties_nothing_unless_forced", &["aux.sync"], empty_pull),
        case("sync::a_source_that_cannot_be_written_gets_nothing", &["aux.sync"], read_only),
        case("sync::a_source_that_cannot_be_read_gets_what_changed", &["aux.sync"], write_only),
        case("sync::bad_documents_are_listed_and_passed_over", &["aux.sync"], bad_documents),
        case("sync::an_unnamed_bad_document_may_be_any", &["aux.sync"], unnamed),
        case("sync::documents_without_an_id_are_named_by_their_content", &["aux.sync"], anonymous),
        case("sync::defaults_and_id_fields_are_no_differences", &["aux.sync"], defaults),
        case("sync::unique_values_move_between_entries", &["aux.sync"], unique),
        case("sync::deleted_entries_leave_their_referrers_warned_of", &["aux.sync"], referrers),
        case("sync::history_and_feed_tell_of_it", &["aux.sync"], told),
        case("sync::each_provider_and_table_has_its_own_state", &["aux.sync"], apart),
        case("sync::figures_count_what_syncs_made", &["aux.sync"], counted),
    ]
}

fn update(store: &Store, id: &str, patch: Value) {
    let options = UpdateOptions { nulls: Nulls::Keep, ..UpdateOptions::default() };
    store.aux("p", "assets").update(id, patch, options).unwrap();
}

fn delete(store: &Store, id: &str) {
    store.aux("p", "assets").delete(id, OnReferenced::Restrict).unwrap();
}

/// A store and a source that hold the same.
fn in_step(env: &Env, documents: Value) -> (Store, Source) {
    let store = env.open();
    let source = Source::of(documents);
    source.known_to(&store);
    synced(&store, Policy::Manual);
    assert_eq!(assets(&store), source.holds());
    (store, source)
}

/// id, provider, local, outcome.
fn items(diff: &SyncDiff) -> Vec<(String, Option<SideChange>, Option<SideChange>, SyncOutcome)> {
    diff.items
        .iter()
        .map(|item| (item.id.clone().unwrap_or_default(), item.provider, item.local, item.outcome))
        .collect()
}

fn both_ways(env: &Env) {
    let (store, source) =
        in_step(env, json!({"a": {"t": 1}, "b": {"t": 1}, "c": {"t": 1}, "d": {"t": 1}, "e": {"t": 1}}));
    source.set("a", json!({"t": 2}));
    source.remove("b");
    source.set("new", json!({"t": 9}));
    update(&store, "c", json!({"t": 2}));
    delete(&store, "d");
    store.aux("p", "assets").create(json!({"id": "own", "t": 7}), None).unwrap();
    let run = store.aux("p", "assets").sync(&asked(Policy::Manual)).unwrap();
    assert_eq!(
        (run.state, run.kind.as_str(), run.project_id.as_deref()),
        (RunState::Succeeded, "sync.aux/assets", Some("p"))
    );
    assert_eq!(
        run.input.to_value(),
        json!({"provider": "source", "policy": "manual", "dryRun": false, "force": false})
    );
    let found = diff(&store, &run);
    use SideChange::{Created, Deleted, Updated};
    use SyncOutcome::{Pulled, Pushed};
    let wanted = [
        ("a", Some(Updated), None, Pulled),
        ("b", Some(Deleted), None, Pulled),
        ("c", None, Some(Updated), Pushed),
        ("d", None, Some(Deleted), Pushed),
        ("new", Some(Created), None, Pulled),
        ("own", None, Some(Created), Pushed),
    ];
    assert_eq!(items(&found), wanted.map(|(id, provider, local, outcome)| (id.to_owned(), provider, local, outcome)));
    let counts = found.counts;
    assert_eq!((counts.pulled, counts.created, counts.updated, counts.deleted), (5, 1, 1, 1));
    assert_eq!((counts.pushed_created, counts.pushed_updated, counts.pushed_deleted), (1, 1, 1));
    assert_eq!((counts.conflicts, counts.errors, counts.not_pushed), (0, 0, 0));
    let both = json!({"a": {"t": 2}, "c": {"t": 2}, "e": {"t": 1}, "new": {"t": 9}, "own": {"t": 7}});
    assert_eq!((assets(&store), source.holds()), (both.clone(), both));
    let pushed = source.pushes();
    assert_eq!(json!(pushed[0].created), json!([{"id": "own", "t": 7}]));
    assert_eq!(json!(pushed[0].updated), json!([{"id": "c", "t": 2}]));
    assert_eq!(pushed[0].deleted, ["d"]);
    let again = synced(&store, Policy::Manual);
    assert!(again.items.is_empty() && source.pushes().is_empty(), "{again:?}");
    assert_eq!(store.aux("p", "assets").get("e").unwrap().version, 1);
}

fn equal(env: &Env) {
    let store = env.open();
    let source = Source::of(json!({"a": {"t": 1.0}, "b": {"t": 1}}));
    source.known_to(&store);
    let table = store.aux("p", "assets");
    table.create(json!({"id": "a", "t": 1.0}), None).unwrap();
    let first = synced(&store, Policy::Manual);
    assert_eq!((first.items.len(), first.counts.created, first.counts.conflicts), (1, 1, 0));
    assert_eq!(table.get("a").unwrap().version, 1, "it was the same already");
    source.set("a", json!({"t": 2, "u": null}));
    update(&store, "a", json!({"t": 2, "u": null}));
    source.remove("b");
    delete(&store, "b");
    let second = synced(&store, Policy::Manual);
    assert!(second.items.is_empty() && source.pushes().is_empty(), "{second:?}");
    source.set("a", json!({"t": 3}));
    assert_eq!(synced(&store, Policy::Manual).counts.updated, 1, "the agreement was kept");
}

/// Both changed `a`, both created `n`.
fn conflicting(env: &Env) -> (Store, Source) {
    let (store, source) = in_step(env, json!({"a": {"t": 1}, "z": {"t": 1}}));
    source.set("a", json!({"t": "theirs"}));
    source.set("n", json!({"t": "theirs"}));
    update(&store, "a", json!({"t": "ours"}));
    store.aux("p", "assets").create(json!({"id": "n", "t": "ours"}), None).unwrap();
    source.pushes();
    (store, source)
}

fn policies(env: &Env) {
    let all = |word: &str| json!({"a": {"t": word}, "n": {"t": word}, "z": {"t": 1}});
    use SideChange::{Created, Updated};
    for policy in [Policy::Manual, Policy::Newest, Policy::Provider, Policy::Local] {
        let env = Env::fresh(env.backend());
        let (store, source) = conflicting(&env);
        let found = synced(&store, policy);
        let (outcome, here, there, unresolved) = match policy {
            Policy::Manual | Policy::Newest => (SyncOutcome::Conflict, "ours", "theirs", 2),
            Policy::Provider => (SyncOutcome::Pulled, "theirs", "theirs", 0),
            Policy::Local => (SyncOutcome::Pushed, "ours", "ours", 0),
        };
        let both = |id: &str, change| (id.to_owned(), Some(change), Some(change), outcome);
        assert_eq!(items(&found), [both("a", Updated), both("n", Created)], "{policy:?}");
        assert_eq!((found.counts.conflicts, found.counts.unresolved), (2, unresolved), "{policy:?}");
        assert_eq!((assets(&store), source.holds()), (all(here), all(there)), "{policy:?}");
        let again = synced(&store, policy);
        assert_eq!(again.counts.conflicts, unresolved, "what is not resolved is listed again ({policy:?})");
        if policy == Policy::Local {
            assert_eq!(source.pushes()[0].created.len(), 0, "it has them, so they are updates");
        }
    }
}

fn delete_against_edit(env: &Env) {
    for policy in [Policy::Manual, Policy::Newest, Policy::Provider, Policy::Local] {
        let env = Env::fresh(env.backend());
        let (store, source) = in_step(&env, json!({"a": {"t": 1}, "b": {"t": 1}, "z": {"t": 1}}));
        source.remove("a");
        update(&store, "a", json!({"t": 2}));
        source.set("b", json!({"t": 2, "lastUpdated": "2999-01-01T00:00:00Z"}));
        delete(&store, "b");
        let found = synced(&store, policy);
        use SideChange::{Deleted, Updated};
        let pairs: Vec<_> = found.items.iter().map(|item| (item.provider, item.local)).collect();
        assert_eq!(pairs, [(Some(Deleted), Some(Updated)), (Some(Updated), Some(Deleted))], "{policy:?}");
        let here: Vec<String> = assets(&store).as_object().unwrap().keys().cloned().collect();
        let there: Vec<String> = source.holds().as_object().unwrap().keys().cloned().collect();
        let (wanted_here, wanted_there) = match policy {
            Policy::Manual | Policy::Newest => (["a", "z"], ["b", "z"]),
            Policy::Provider => (["b", "z"], ["b", "z"]),
            Policy::Local => (["a", "z"], ["a", "z"]),
        };
        assert_eq!(
            (here, there),
            (wanted_here.map(str::to_owned).into(), wanted_there.map(str::to_owned).into()),
            "{policy:?}"
        );
    }
}

fn newest(env: &Env) {
    let (store, source) =
        in_step(env, json!({"late": {"t": 1}, "early": {"t": 1}, "unknown": {"t": 1}, "same": {"t": 1}}));
    for id in ["late", "early", "unknown", "same"] {
        update(&store, id, json!({"t": "ours"}));
    }
    let at = store.aux("p", "assets").get("same").unwrap().last_updated;
    source.set("late", json!({"t": "theirs", "lastUpdated": "2999-12-31T23:59:59+02:00"}));
    source.set("early", json!({"t": "theirs", "lastUpdated": "1999-01-01T00:00:00Z"}));
    source.set("unknown", json!({"t": "theirs", "lastUpdated": null}));
    source.set("same", json!({"t": "theirs", "lastUpdated": at}));
    let found = synced(&store, Policy::Newest);
    assert_eq!((found.counts.conflicts, found.counts.unresolved), (4, 2));
    let here = assets(&store);
    assert_eq!((&here["late"]["t"], &here["early"]["t"]), (&json!("theirs"), &json!("ours")));
    assert_eq!(here["late"].get("lastUpdated"), None, "it belongs to the entry");
    assert_eq!(source.holds()["early"], json!({"t": "ours"}));
    assert_eq!((&here["unknown"]["t"], &here["same"]["t"]), (&json!("ours"), &json!("ours")));
    source.set("late", json!({"t": "theirs", "lastUpdated": "3000-01-01T00:00:00Z"}));
    assert_eq!(synced(&store, Policy::Newest).counts.updated, 0, "a time alone is no change");
    source.set("late", json!({"t": "theirs", "lastUpdated": "yesterday"}));
    let bad = synced(&store, Policy::Newest);
    let refused: Vec<_> = bad.items.iter().filter(|item| item.outcome == SyncOutcome::Refused).collect();
    assert_eq!((refused[0].id.as_deref(), refused[0].violations[0].path.as_str()), (Some("late"), "/lastUpdated"));
}

fn dry_run(env: &Env) {
    let (store, source) = conflicting(env);
    source.set("more", json!({"t": 1}));
    source.remove("z");
    store.aux("p", "assets").create(json!({"id": "own"}), None).unwrap();
    let (here, there) = (assets(&store), source.holds());
    let events = |store: &Store| store.events().read(&ReadEvents { limit: 1_000, ..ReadEvents::default() }).unwrap();
    let told = |store: &Store| events(store).items.iter().filter(|event| event.kind.starts_with("aux.")).count();
    let before = told(&store);
    let dry = SyncTable { dry_run: true, ..asked(Policy::Provider) };
    let would = diff(&store, &store.aux("p", "assets").sync(&dry).unwrap());
    assert!(would.dry_run && source.pushes().is_empty());
    assert_eq!((assets(&store), source.holds(), told(&store)), (here, there, before));
    let did = synced(&store, Policy::Provider);
    assert_eq!((would.counts, would.items), (did.counts, did.items));
    assert_eq!((did.counts.created, did.counts.updated, did.counts.deleted, did.counts.pushed_created), (1, 2, 1, 1));
}

fn empty_pull(env: &Env) {
    let (store, source) = in_step(env, json!({"a": {"t": 1}, "b": {"t": 1}}));
    source.remove("a");
    source.remove("b");
    let table = store.aux("p", "assets");
    for dry_run in [true, false] {
        let refused = table.sync(&SyncTable { dry_run, ..asked(Policy::Manual) }).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::InvalidState);
        assert!(refused.message().contains("force") && refused.message().contains("2 entries"), "{refused}");
    }
    assert_eq!(table.count(None, None).unwrap(), 2);
    let forced = table.sync(&SyncTable { force: true, ..asked(Policy::Manual) }).unwrap();
    assert_eq!((diff(&store, &forced).counts.deleted, table.count(None, None).unwrap()), (2, 0));
    table.create(json!({"id": "own"}), None).unwrap();
    assert_eq!(synced(&store, Policy::Manual).counts.pushed_created, 1, "an empty source that empties nothing is fine");
}

fn read_only(env: &Env) {
    let (store, source) = in_step(env, json!({"a": {"t": 1}, "b": {"t": 1}, "c": {"t": 1}}));
    source.inner().read_only = true;
    update(&store, "a", json!({"t": 2}));
    delete(&store, "b");
    store.aux("p", "assets").create(json!({"id": "own"}), None).unwrap();
    source.set("c", json!({"t": 2}));
    for updated in [1, 0] {
        let found = synced(&store, Policy::Local);
        let not_pushed = found.items.iter().filter(|item| item.outcome == SyncOutcome::NotPushed).count();
        assert_eq!((found.counts.updated, found.counts.not_pushed, not_pushed), (updated, 3, 3), "listed each time");
    }
    source.set("a", json!({"t": 3}));
    let found = synced(&store, Policy::Local);
    assert_eq!(
        (found.items[0].outcome, found.counts.unresolved),
        (SyncOutcome::Conflict, 1),
        "ours is right and cannot be given"
    );
    assert_eq!((&assets(&store)["a"]["t"], source.pushes().len()), (&json!(2), 0));
}

fn write_only(env: &Env) {
    let store = env.open();
    let source = Source::default();
    source.inner().write_only = true;
    source.known_to(&store);
    let table = store.aux("p", "assets");
    table.create(json!({"id": "a", "t": 1}), None).unwrap();
    table.create(json!({"id": "b", "t": 1}), None).unwrap();
    assert_eq!(synced(&store, Policy::Manual).counts.pushed_created, 2);
    update(&store, "a", json!({"t": 2}));
    delete(&store, "b");
    let counts = synced(&store, Policy::Manual).counts;
    assert_eq!((counts.pulled, counts.pushed_updated, counts.pushed_deleted), (0, 1, 1));
    assert_eq!(source.holds(), json!({"a": {"t": 2}}));
    assert_eq!((synced(&store, Policy::Manual).items.len(), source.pulled()), (0, 0));
    source.inner().read_only = true;
    let neither = table.sync(&asked(Policy::Manual)).unwrap_err();
    assert_eq!(neither.code(), ErrorCode::Unsupported);
}

fn bad_documents(env: &Env) {
    let store = env.open();
    bind(
        sprongus_conformance::Face::Store(&store),
        "assets",
        json!({"type": "object", "properties": {"n": {"type": "integer"}, "code": {"type": "string", "x-unique": true},
            "parent": {"x-ref": {"table": "assets", "strict": true}}}}),
    );
    let source = Source::of(json!({
        "a": {"n": 1}, "b": {"n": "x"}, "c": {"n": 3, "code": "one"}, "d": {"n": 4, "code": "one"},
        "e": {"parent": "nobody"}, "f": {"projectId": "q"}
    }));
    source.known_to(&store);
    let found = synced(&store, Policy::Manual);
    let refused = |found: &SyncDiff| -> Vec<(String, String, Option<u64>)> {
        let refused = found.items.iter().filter(|item| item.outcome == SyncOutcome::Refused);
        refused
            .map(|item| (item.id.clone().unwrap(), item.violations[0].keyword.clone(), item.violations[0].row))
            .collect()
    };
    let wanted = [("b", "type", 2), ("d", "unique", 4), ("e", "x-ref", 5), ("f", "reserved", 6)];
    let wanted: Vec<_> = wanted.map(|(id, keyword, row)| (id.to_owned(), keyword.to_owned(), Some(row))).into();
    let mut got = refused(&found);
    got.sort();
    assert_eq!(got, wanted);
    assert_eq!((found.counts.pulled, found.counts.created, found.counts.errors), (6, 2, 4));
    assert_eq!(assets(&store), json!({"a": {"n": 1}, "c": {"n": 3, "code": "one"}}));
    source.set("b", json!({"n": 2}));
    source.set("a", json!({"n": "bad now"}));
    let found = synced(&store, Policy::Provider);
    assert_eq!((found.counts.created, found.counts.deleted, found.counts.errors), (1, 0, 4), "a stays as it is");
    assert_eq!(assets(&store)["a"], json!({"n": 1}));
    update(&store, "a", json!({"n": 5}));
    let found = synced(&store, Policy::Local);
    assert_eq!(
        (source.holds()["a"].clone(), found.counts.errors),
        (json!({"n": "bad now"}), 4),
        "what cannot be read is not judged"
    );
}

fn unnamed(env: &Env) {
    let (store, source) = in_step(env, json!({"a": {"t": 1}, "b": {"t": 1}}));
    source.remove("a");
    source.set("?", Value::Null);
    source.set("c", json!({"t": 1}));
    let found = synced(&store, Policy::Provider);
    use SideChange::{Created, Deleted};
    let wanted = [
        (String::new(), None, None, SyncOutcome::Refused),
        ("a".to_owned(), Some(Deleted), None, SyncOutcome::Kept),
        ("c".to_owned(), Some(Created), None, SyncOutcome::Pulled),
    ];
    assert_eq!(items(&found), wanted);
    assert_eq!(assets(&store), json!({"a": {"t": 1}, "b": {"t": 1}, "c": {"t": 1}}));
    source.remove("?");
    assert_eq!(synced(&store, Policy::Provider).counts.deleted, 1);
    source.set("?", json!([1]));
    source.remove("b");
    let found = synced(&store, Policy::Provider);
    assert_eq!((found.counts.deleted, found.items[0].violations[0].keyword.as_str()), (0, "type"));
}

fn anonymous(env: &Env) {
    let store = env.open();
    let source = Source::default();
    source.inner().anonymous = vec![json!({"t": 1}), json!({"t": 2}), json!({"t": 1})];
    source.known_to(&store);
    let first = synced(&store, Policy::Manual);
    assert_eq!((first.counts.created, first.warnings.len()), (2, 1));
    assert_eq!((first.warnings[0].keyword.as_str(), first.warnings[0].row), ("duplicate_id", Some(1)));
    assert!(synced(&store, Policy::Manual).items.is_empty());
    source.inner().anonymous[1] = json!({"t": 3});
    let counts = synced(&store, Policy::Manual).counts;
    assert_eq!((counts.created, counts.deleted, counts.updated), (1, 1, 0));
}

fn defaults(env: &Env) {
    let store = env.open();
    bind(
        sprongus_conformance::Face::Store(&store),
        "assets",
        json!({"type": "object", "properties": {"key": {"type": "integer", "x-id": true}, "kind": {"type": "string", "default": "photo"}}}),
    );
    let source = Source::of(json!({"7": {"key": 7}, "8": {"key": 8, "kind": "map"}}));
    source.known_to(&store);
    assert_eq!(synced(&store, Policy::Manual).counts.created, 2);
    assert_eq!(assets(&store), json!({"7": {"key": 7, "kind": "photo"}, "8": {"key": 8, "kind": "map"}}));
    assert!(synced(&store, Policy::Manual).items.is_empty(), "a default is no change of ours");
    update(&store, "7", json!({"kind": "plan"}));
    assert_eq!(synced(&store, Policy::Manual).counts.pushed_updated, 1);
    assert!(
        synced(&store, Policy::Manual).items.is_empty() && source.holds()["7"] == json!({"key": 7, "kind": "plan"})
    );
}

fn unique(env: &Env) {
    let store = env.open();
    let definition = json!({"type": "object", "properties": {"code": {"type": "string", "x-unique": true}}});
    bind(sprongus_conformance::Face::Store(&store), "assets", definition);
    let source = Source::of(json!({"a": {"code": "1"}, "b": {"code": "2"}, "c": {"code": "3"}}));
    source.known_to(&store);
    synced(&store, Policy::Manual);
    source.set("a", json!({"code": "2"}));
    source.set("b", json!({"code": "1"}));
    source.remove("c");
    source.set("d", json!({"code": "3"}));
    let found = synced(&store, Policy::Manual);
    assert_eq!(
        (found.counts.errors, found.counts.updated, found.counts.created, found.counts.deleted),
        (0, 2, 1, 1),
        "{found:?}"
    );
    assert_eq!(assets(&store), source.holds());
}

fn referrers(env: &Env) {
    let store = env.open();
    let definition =
        json!({"type": "object", "properties": {"assetIds": {"type": "array", "items": {"x-ref": "assets"}}}});
    bind(sprongus_conformance::Face::Store(&store), "boards", definition);
    let source = Source::of(json!({"a": {"t": 1}, "b": {"t": 1}}));
    source.known_to(&store);
    synced(&store, Policy::Manual);
    store.aux("p", "boards").create(json!({"id": "row", "assetIds": ["a"]}), None).unwrap();
    source.remove("a");
    let found = synced(&store, Policy::Manual);
    assert_eq!((found.counts.deleted, found.warnings.len()), (1, 1));
    assert_eq!((found.warnings[0].id.as_deref(), found.warnings[0].keyword.as_str()), (Some("row"), "dangling_ref"));
}

fn told(env: &Env) {
    let (store, source) = in_step(env, json!({"a": {"t": 1}}));
    source.set("a", json!({"t": 2}));
    let run = store.acting_as("ann", None).unwrap().aux("p", "assets").sync(&asked(Policy::Manual)).unwrap();
    let versions = store.aux("p", "assets").history("a").unwrap();
    let last = versions.last().unwrap();
    assert_eq!((last.actor.as_str(), last.reason.as_deref()), ("ann", Some("sync with source")));
    let read = ReadEvents { limit: 1_000, ..ReadEvents::default() };
    let events = store.events().read(&read).unwrap();
    let synced: Vec<_> = events.items.iter().filter(|event| event.kind == "aux.synced").collect();
    assert_eq!((synced.len(), synced[1].subject.as_str(), synced[1].actor.as_str()), (2, "aux:p/assets", "ann"));
    let payload = synced[1].payload.to_value();
    assert_eq!(
        (&payload["updated"], &payload["provider"], &payload["runId"]),
        (&json!(1), &json!("source"), &json!(run.id))
    );
    let kinds: Vec<_> = store.runs().events(&sprongus::runs::RunEvents::new(&run.id)).unwrap();
    let kinds: Vec<_> = kinds.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["run.enqueued", "run.started", "run.succeeded"]);
}

fn apart(env: &Env) {
    let (store, source) = in_step(env, json!({"a": {"t": 1}}));
    let mut other = Source::of(json!({"b": {"t": 1}}));
    let sync = SyncTable::new("assets", "other");
    let run = store.aux("p", "assets").sync_with(&sync, &mut other).unwrap();
    assert_eq!((diff(&store, &run).counts.created, diff(&store, &run).counts.pushed_created), (1, 1));
    assert_eq!(other.holds(), json!({"a": {"t": 1}, "b": {"t": 1}}));
    assert_eq!(synced(&store, Policy::Manual).counts.pushed_created, 1, "what one source brought the other gets");
    let elsewhere = store.aux("q", "assets").sync(&asked(Policy::Manual)).unwrap();
    assert_eq!((diff(&store, &elsewhere).counts.created, source.holds()), (2, other.holds()));
    let sync = SyncTable { enqueue: true, ..SyncTable::new("assets", "other") };
    assert_eq!(store.aux("p", "assets").sync_with(&sync, &mut other).unwrap_err().code(), ErrorCode::InvalidArgument);
}

fn counted(env: &Env) {
    let (store, source) = in_step(env, json!({"a": {"t": 1}, "b": {"t": 1}}));
    source.set("a", json!({"t": 2}));
    source.remove("b");
    source.set("bad", json!({"tableName": "other"}));
    synced(&store, Policy::Manual);
    source.inner().breaks_after = Some(0);
    store.aux("p", "assets").sync(&asked(Policy::Manual)).unwrap_err();
    let stats = store.stats().unwrap();
    let table = &stats.tables[0];
    assert_eq!((table.created, table.updated, table.deleted, table.refused), (2, 1, 1, 1));
    assert_eq!((stats.syncs.count, stats.syncs.failed, stats.syncs.latency.count), (3, 1, 3));
}
