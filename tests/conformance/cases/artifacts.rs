//! Artifacts: versions, contents held against their hash, pages, who sees them, and a zip of the same bytes.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use sprongus::artifacts::{Artifact, ArtifactId, ArtifactKey, ArtifactVersions, Artifacts, ListArtifacts, PutArtifact};
use sprongus::runs::{Enqueue, Prune, RunOutput, Succeed};
use sprongus::worker::{Context, Outcome};
use sprongus::{ErrorCode, Json, Options, RunState, Scope, WorkerOptions, ops};
use sprongus_conformance::{Backend, Case, Env, Face};

use crate::runs::{claim_one, code, eight, get, json as parsed};

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, covers, transactional, run| Case { name, covers, transactional, run };
    vec![
        case(
            "artifacts::each_put_is_the_next_version",
            &["artifacts.put", "artifacts.get", "artifacts.latest"],
            true,
            versions,
        ),
        case("artifacts::contents_come_back_as_they_were", &[], true, contents),
        case("artifacts::what_has_not_changed_is_not_put_again", &[], true, unchanged),
        case("artifacts::contents_kept_elsewhere_are_refs", &[], true, elsewhere),
        case("artifacts::eight_put_and_no_version_is_missing", &[], false, race),
        case("artifacts::eight_put_the_same_and_one_is_kept", &[], false, same_race),
        case("artifacts::versions_are_paged_newest_first", &["artifacts.versions"], true, paged_versions),
        case("artifacts::a_list_is_the_latest_of_each_in_order", &["artifacts.list"], true, listed),
        case("artifacts::a_page_is_bounded_in_bytes", &[], false, bounded),
        case("artifacts::a_content_that_changed_is_corrupt", &[], true, corrupt),
        case("artifacts::bad_requests_write_nothing", &[], true, bad),
        case("artifacts::contents_have_a_size", &[], false, sized),
        case("artifacts::a_run_names_its_artifacts", &[], true, of_runs),
        case("artifacts::an_output_is_the_artifact_of_its_run", &[], true, outputs),
        case("artifacts::a_handler_keeps_what_it_makes", &[], false, handler),
        case("artifacts::projects_are_apart", &[], false, walled),
        case("artifacts::within_a_transaction", &[], false, transaction),
        case("artifacts::the_door_takes_json", &[], true, door),
        case("artifacts::a_zip_has_the_same_bytes_every_time", &["artifacts.export_zip"], false, zipped),
        case("artifacts::names_in_a_zip_neither_collide_nor_escape", &[], true, hostile),
        case("artifacts::a_zip_takes_no_place_that_is_not_its_own", &[], true, places),
    ]
}

fn text(key: &str, content: &str) -> PutArtifact {
    PutArtifact::text("report", key, content)
}

fn latest(on: Artifacts<'_>, key: &str) -> Artifact {
    on.latest(&ArtifactKey::new("report", key)).unwrap()
}

fn rows(on: Face<'_, '_>) -> i64 {
    match on.query("SELECT count(*) FROM sprongus_artifacts", &[]).unwrap()[0].values() {
        [sprongus::Value::Int(count)] => *count,
        other => panic!("{other:?}"),
    }
}

fn versions(env: &Env) {
    env.within(|on| {
        let on = on.artifacts();
        let first = on.put(&text("a", "one")).unwrap();
        let second = on.put(&text("a", "one")).unwrap();
        assert_eq!((first.version, second.version), (1, 2));
        assert_ne!(first.id, second.id);
        assert_eq!(on.put(&text("b", "one")).unwrap().version, 1);
        assert_eq!(on.put(&PutArtifact::text("other", "a", "one")).unwrap().version, 1);
        let elsewhere = PutArtifact { project: Some("p".to_owned()), ..text("a", "one") };
        assert_eq!(on.put(&elsewhere).unwrap().version, 1);
        assert_eq!(on.get(&ArtifactId::new(&first.id)).unwrap(), first);
        assert_eq!(latest(on, "a"), second);
        assert_eq!(code(on.get(&ArtifactId::new("nobody"))), ErrorCode::NotFound);
        assert_eq!(code(on.latest(&ArtifactKey::new("report", "z"))), ErrorCode::NotFound);
    });
}

fn contents(env: &Env) {
    env.within(|on| {
        let on = on.artifacts();
        let document = parsed(r#"{"b":[1.0,1e16,"é \u2028"],"a":null}"#);
        let bytes: Vec<u8> = (0..=255).collect();
        for (put, media_type, content) in [
            (PutArtifact::json("k", "json", document.clone()), "application/json", document.as_str().as_bytes()),
            (PutArtifact::text("k", "text", "é\n\t"), "text/plain; charset=utf-8", "é\n\t".as_bytes()),
            (PutArtifact::text("k", "empty", ""), "text/plain; charset=utf-8", b"".as_slice()),
            (PutArtifact::bytes("k", "bytes", bytes.clone()), "application/octet-stream", &bytes),
            (PutArtifact::bytes("k", "none", []), "application/octet-stream", b"".as_slice()),
            (PutArtifact::new("k", "nothing"), "application/json", b"null".as_slice()),
            (
                PutArtifact { media_type: Some("image/png".to_owned()), ..PutArtifact::bytes("k", "png", [1]) },
                "image/png",
                &[1],
            ),
        ] {
            let made = on.put(&put).unwrap();
            assert_eq!((made.media_type.as_str(), made.content.as_deref()), (media_type, Some(content)));
            assert_eq!((made.size, made.sha256.len()), (i64::try_from(content.len()).unwrap(), 64));
            assert_eq!((&made.reference, made.metadata.as_str()), (&None, "{}"));
            assert_eq!(on.get(&ArtifactId::new(&made.id)).unwrap(), made);
        }
        let told = PutArtifact { metadata: Some(parsed(r#"{"z":1e16,"a":[1.0]}"#)), ..text("told", "x") };
        assert_eq!(on.put(&told).unwrap().metadata.as_str(), r#"{"a":[1.0],"z":1e16}"#);
        assert_eq!(latest(on, "told").metadata.as_str(), r#"{"a":[1.0],"z":1e16}"#);
        let json = on.latest(&ArtifactKey::new("k", "json")).unwrap();
        assert_eq!(json.json().unwrap(), document);
        assert_eq!(code(latest(on, "told").json()), ErrorCode::Validation);
    });
}

fn unchanged(env: &Env) {
    env.within(|on| {
        let on = on.artifacts();
        let put = |content: &str| on.put(&PutArtifact { if_changed: true, ..text("a", content) }).unwrap();
        let first = put("one");
        assert_eq!(put("one"), first);
        assert_eq!(put("two").version, 2);
        // With the latest only: what it was before is a change.
        assert_eq!(put("one").version, 3);
        assert_eq!(on.put(&text("a", "one")).unwrap().version, 4);
        assert_eq!(put("one").version, 4);
        // By its hash, whatever else is told of it.
        let bytes = PutArtifact { if_changed: true, ..PutArtifact::bytes("report", "a", *b"one") };
        assert_eq!(on.put(&bytes).unwrap().media_type, "text/plain; charset=utf-8");
    });
}

fn elsewhere(env: &Env) {
    env.within(|on| {
        let on = on.artifacts();
        let put = PutArtifact {
            reference: Some("s3://bucket/é".to_owned()),
            sha256: Some("AB".repeat(32)),
            size: Some(1 << 40),
            if_changed: true,
            ..PutArtifact::new("video", "a")
        };
        let made = on.put(&put).unwrap();
        assert_eq!((made.content.as_ref(), made.reference.as_deref()), (None, Some("s3://bucket/é")));
        assert_eq!((made.sha256.as_str(), made.size), ("ab".repeat(32).as_str(), 1 << 40));
        assert_eq!(made.media_type, "application/octet-stream");
        assert_eq!(on.put(&put).unwrap(), made);
        assert_eq!(on.get(&ArtifactId::new(&made.id)).unwrap(), made);
        assert_eq!(on.list(&ListArtifacts::default()).unwrap().first(), Some(&made));
        assert_eq!(code(made.json()), ErrorCode::InvalidArgument);
    });
}

fn race(env: &Env) {
    let store = env.open();
    let made: BTreeSet<i64> = eight(env, &store, |store| {
        let put = |at| store.artifacts().put(&text("a", &format!("{at}"))).unwrap().version;
        (0..10).map(put).collect::<Vec<_>>()
    })
    .into_iter()
    .flatten()
    .collect();
    assert_eq!(made, (1..=80).collect());
}

fn same_race(env: &Env) {
    let store = env.open();
    let put = PutArtifact { if_changed: true, ..text("a", "same") };
    let made: BTreeSet<String> =
        eight(env, &store, |store| store.artifacts().put(&put).unwrap().id).into_iter().collect();
    assert_eq!(made.len(), 1);
    assert_eq!(store.artifacts().versions(&ArtifactVersions::new("report", "a")).unwrap().len(), 1);
}

fn paged_versions(env: &Env) {
    env.within(|on| {
        let on = on.artifacts();
        for n in 1..=7 {
            on.put(&text("a", &n.to_string())).unwrap();
            on.put(&text("b", &n.to_string())).unwrap();
        }
        let mut of = ArtifactVersions { limit: 3, ..ArtifactVersions::new("report", "a") };
        let mut seen = Vec::new();
        loop {
            let page = on.versions(&of).unwrap();
            seen.extend(page.iter().map(|one| (one.version, one.content.clone().unwrap())));
            // What comes meanwhile is newer than the pages to come.
            on.put(&text("a", "new")).unwrap();
            match page.next_cursor {
                Some(cursor) => of.cursor = Some(cursor),
                None => break,
            }
        }
        let expected: Vec<_> = (1..=7).rev().map(|n| (n, n.to_string().into_bytes())).collect();
        assert_eq!(seen, expected);
        let none = on.versions(&ArtifactVersions { limit: 0, ..ArtifactVersions::new("report", "a") }).unwrap();
        assert_eq!((none.len(), none.next_cursor), (0, None));
        assert_eq!(on.versions(&ArtifactVersions::new("report", "z")).unwrap().len(), 0);
        let foreign = ArtifactVersions { cursor: of.cursor, ..ArtifactVersions::new("report", "b") };
        assert_eq!(code(on.versions(&foreign)), ErrorCode::InvalidArgument);
        for limit in [-1, 1001] {
            let bad = ArtifactVersions { limit, ..ArtifactVersions::new("report", "a") };
            assert_eq!(code(on.versions(&bad)), ErrorCode::InvalidArgument);
        }
    });
}

fn listed(env: &Env) {
    env.within(|on| {
        let on = on.artifacts();
        let names =
            [("a", "z"), ("a", "é"), ("B", "k"), ("a", "Z"), ("aa", "k"), ("a", "\u{10000}"), ("a", "\u{ffff}")];
        for (n, (kind, key)) in names.iter().enumerate() {
            for version in 0..=n {
                on.put(&PutArtifact::json(*kind, *key, parsed(&version.to_string()))).unwrap();
            }
        }
        let other = PutArtifact { project: Some("p".to_owned()), ..PutArtifact::new("a", "other") };
        on.put(&other).unwrap();
        let walk = |kind: Option<&str>, limit: i64| {
            let mut which = ListArtifacts { kind: kind.map(str::to_owned), limit, ..ListArtifacts::default() };
            let mut seen = Vec::new();
            loop {
                let page = on.list(&which).unwrap();
                assert!(page.len() <= usize::try_from(limit).unwrap());
                seen.extend(
                    page.iter().map(|one| (one.kind.clone(), one.key.clone(), one.version, one.json().unwrap())),
                );
                match page.next_cursor {
                    Some(cursor) => which.cursor = Some(cursor),
                    None => return seen,
                }
            }
        };
        let mut expected: Vec<_> = names
            .iter()
            .zip(1_i64..)
            .map(|((kind, key), n)| ((*kind).to_owned(), (*key).to_owned(), n, parsed(&(n - 1).to_string())))
            .collect();
        expected.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        for limit in [1, 2, 7, 1000] {
            assert_eq!(walk(None, limit), expected);
            let of_kind: Vec<_> = expected.iter().filter(|one| one.0 == "a").cloned().collect();
            assert_eq!(walk(Some("a"), limit), of_kind);
        }
        assert_eq!(walk(Some("nothing"), 5), []);
        let of_project = on.list(&ListArtifacts { project: Some("p".to_owned()), ..ListArtifacts::default() }).unwrap();
        assert_eq!(of_project.iter().map(|one| one.key.as_str()).collect::<Vec<_>>(), ["other"]);
    });
}

fn bounded(env: &Env) {
    let store = env.open_with(Options { max_artifact_bytes: 1000, ..env.options() });
    let on = store.artifacts();
    for (key, size) in [("a", 400), ("b", 400), ("c", 400), ("d", 1000), ("e", 0), ("f", 1)] {
        on.put(&PutArtifact::bytes("k", key, vec![7; size])).unwrap();
    }
    let mut which = ListArtifacts::default();
    let mut pages = Vec::new();
    loop {
        let page = on.list(&which).unwrap();
        pages.push(page.iter().map(|one| one.key.clone()).collect::<String>());
        assert!(page.iter().all(|one| one.content.is_some()));
        match page.next_cursor {
            Some(cursor) => which.cursor = Some(cursor),
            None => break,
        }
    }
    assert_eq!(pages, ["ab", "c", "de", "f"]);
}

fn corrupt(env: &Env) {
    env.within(|on| {
        let artifacts = on.artifacts();
        let made = artifacts.put(&text("a", "one")).unwrap();
        let (_folder, zip) = sprongus_testkit::temp_file("out.zip");
        for damage in ["content = $2", "content = NULL", "size = 4"] {
            artifacts.put(&text("b", "fine")).unwrap();
            let params = [made.id.as_str().into(), b"two".as_slice().into()];
            let params = if damage.contains("$2") { &params[..] } else { &params[..1] };
            on.execute(&format!("UPDATE sprongus_artifacts SET {damage} WHERE id = $1"), params).unwrap();
            assert_eq!(code(artifacts.get(&ArtifactId::new(&made.id))), ErrorCode::Corrupt, "{damage}");
            assert_eq!(code(artifacts.latest(&ArtifactKey::new("report", "a"))), ErrorCode::Corrupt);
            assert_eq!(code(artifacts.versions(&ArtifactVersions::new("report", "a"))), ErrorCode::Corrupt);
            assert_eq!(code(artifacts.list(&ListArtifacts::default())), ErrorCode::Corrupt);
            assert_eq!(code(artifacts.export_zip(&zip, None)), ErrorCode::Corrupt);
            assert!(!zip.exists());
            let whole = "UPDATE sprongus_artifacts SET content = $2, size = 3 WHERE id = $1";
            on.execute(whole, &[made.id.as_str().into(), b"one".as_slice().into()]).unwrap();
            assert_eq!(latest(artifacts, "a"), made);
        }
    });
}

fn bad(env: &Env) {
    env.within(|on| {
        let artifacts = on.artifacts();
        let long = "x".repeat(513);
        let reference = |sha256: Option<&str>, size| PutArtifact {
            reference: Some("s3://b".to_owned()),
            sha256: sha256.map(str::to_owned),
            size,
            ..PutArtifact::new("k", "a")
        };
        let hash = "a".repeat(64);
        let mut refused: Vec<PutArtifact> = ["", "a\0b", "a\n", "\u{9f}", long.as_str()]
            .iter()
            .flat_map(|name| [PutArtifact::text(*name, "a", "x"), PutArtifact::text("k", *name, "x")])
            .collect();
        refused.extend([
            PutArtifact { bytes: Some(vec![]), ..text("a", "x") },
            PutArtifact { json: Some(Json::null()), ..text("a", "x") },
            PutArtifact { reference: Some("s3://b".to_owned()), ..text("a", "x") },
            PutArtifact { sha256: Some(hash.clone()), ..text("a", "x") },
            PutArtifact { size: Some(2), ..text("a", "x") },
            PutArtifact { media_type: Some("png".to_owned()), ..text("a", "x") },
            PutArtifact { media_type: Some("a/b\0".to_owned()), ..text("a", "x") },
            PutArtifact { metadata: Some(parsed("[]")), ..text("a", "x") },
            PutArtifact { metadata: Some(parsed("1")), ..text("a", "x") },
            PutArtifact { project: Some(String::new()), ..text("a", "x") },
            PutArtifact { run: Some("a\0".to_owned()), ..text("a", "x") },
            reference(None, Some(1)),
            reference(Some(&hash), None),
            reference(Some("abc"), Some(1)),
            reference(Some(&"g".repeat(64)), Some(1)),
            reference(Some(&hash), Some(-1)),
            PutArtifact { reference: Some("a\0".to_owned()), ..reference(Some(&hash), Some(1)) },
            PutArtifact { reference: Some(String::new()), ..reference(Some(&hash), Some(1)) },
            PutArtifact { reference: Some("x".repeat(4097)), ..reference(Some(&hash), Some(1)) },
        ]);
        for put in &refused {
            assert_eq!(code(artifacts.put(put)), ErrorCode::InvalidArgument, "{put:?}");
        }
        let nobody = PutArtifact { run: Some("nobody".to_owned()), ..text("a", "x") };
        assert_eq!(code(artifacts.put(&nobody)), ErrorCode::NotFound);
        let huge = parsed(&json!({ "x": "y".repeat(1 << 20) }).to_string());
        assert_eq!(code(artifacts.put(&PutArtifact { metadata: Some(huge), ..text("a", "x") })), ErrorCode::TooLarge);
        assert_eq!(code(artifacts.get(&ArtifactId::new(""))), ErrorCode::InvalidArgument);
        assert_eq!(code(artifacts.latest(&ArtifactKey::new("k", "a\0"))), ErrorCode::InvalidArgument);
        let of_kind = ListArtifacts { kind: Some("\0".to_owned()), ..ListArtifacts::default() };
        assert_eq!(code(artifacts.list(&of_kind)), ErrorCode::InvalidArgument);
        let lost = ListArtifacts { cursor: Some("nonsense".to_owned()), ..ListArtifacts::default() };
        assert_eq!(code(artifacts.list(&lost)), ErrorCode::InvalidArgument);
        assert_eq!(rows(on), 0);
        let widest = "é".repeat(256);
        artifacts.put(&PutArtifact::text(&widest, &widest, "x")).unwrap();
    });
}

fn sized(env: &Env) {
    let store = env.open_with(Options { max_artifact_bytes: 100, ..env.options() });
    let put = |put: PutArtifact| store.artifacts().put(&put);
    put(text("a", &"x".repeat(100))).unwrap();
    put(PutArtifact::json("k", "a", parsed(&json!("x".repeat(98)).to_string()))).unwrap();
    for large in [
        text("a", &"é".repeat(51)),
        PutArtifact::bytes("report", "a", vec![0; 101]),
        PutArtifact::json("report", "a", parsed(&json!("x".repeat(99)).to_string())),
    ] {
        assert_eq!(code(put(large)), ErrorCode::TooLarge);
    }
    assert_eq!(rows(Face::Store(&store)), 2);
    let store = env.open();
    let whole = vec![0x5a; 64 << 20];
    let made = store.artifacts().put(&PutArtifact::bytes("k", "whole", whole.clone())).unwrap();
    assert!(store.artifacts().get(&ArtifactId::new(&made.id)).unwrap().content == Some(whole));
    let more = PutArtifact::bytes("k", "more", vec![0; (64 << 20) + 1]);
    assert_eq!(code(store.artifacts().put(&more)), ErrorCode::TooLarge);
}

fn of_runs(env: &Env) {
    env.within(|on| {
        let of_project = Enqueue { project: Some("p".to_owned()), ..Enqueue::new("k", Json::null()) };
        let run = on.runs().enqueue(&of_project).unwrap();
        let free = on.runs().enqueue(&Enqueue::new("k", Json::null())).unwrap();
        let put = |run: &str, project: Option<&str>| {
            let put = PutArtifact { run: Some(run.to_owned()), project: project.map(str::to_owned), ..text("a", "x") };
            on.artifacts().put(&put)
        };
        let made = put(&run.id, None).unwrap();
        assert_eq!((made.run_id.as_deref(), made.project_id.as_deref()), (Some(run.id.as_str()), Some("p")));
        assert_eq!(put(&run.id, Some("p")).unwrap().version, 2);
        assert_eq!(code(put(&run.id, Some("q"))), ErrorCode::InvalidArgument);
        assert_eq!(put(&free.id, None).unwrap().project_id, None);
        assert_eq!(put(&free.id, Some("q")).unwrap().project_id.as_deref(), Some("q"));
    });
}

fn outputs(env: &Env) {
    env.within(|on| {
        on.runs().enqueue(&Enqueue { project: Some("p".to_owned()), ..Enqueue::new("k", Json::null()) }).unwrap();
        let run = claim_one(on.runs());
        let output = parsed(r#"{"pages":3,"title":"é"}"#);
        let done =
            on.runs().succeed(&Succeed { output: Some(output.clone()), ..Succeed::new(&run.id, run.lease) }).unwrap();
        let id = done.output_ref.as_deref().unwrap().strip_prefix("artifact:").unwrap().to_owned();
        let kept = on.artifacts().get(&ArtifactId::new(&id)).unwrap();
        assert_eq!((kept.kind.as_str(), kept.key.as_str(), kept.version), ("run.output", run.id.as_str(), 1));
        assert_eq!((kept.run_id.as_deref(), kept.project_id.as_deref()), (Some(run.id.as_str()), Some("p")));
        assert_eq!((kept.media_type.as_str(), kept.json().unwrap()), ("application/json", output.clone()));
        let key = ArtifactKey { project: Some("p".to_owned()), ..ArtifactKey::new("run.output", &run.id) };
        assert_eq!(on.artifacts().latest(&key).unwrap(), kept);
        assert_eq!(on.runs().output(&RunOutput::new(&run.id)).unwrap(), output);
        let damage = "UPDATE sprongus_artifacts SET content = $2 WHERE id = $1";
        on.execute(damage, &[id.as_str().into(), b"1".as_slice().into()]).unwrap();
        assert_eq!(code(on.runs().output(&RunOutput::new(&run.id))), ErrorCode::Corrupt);
        assert_eq!(code(on.artifacts().get(&ArtifactId::new(&id))), ErrorCode::Corrupt);
    });
}

fn handler(env: &Env) {
    let store = env.open();
    let worker = store.worker(WorkerOptions::default()).unwrap();
    worker
        .handle("make", |context: &Context| {
            context.artifact(&text("a", "made"))?;
            Ok(Outcome::Output(Json::null()))
        })
        .unwrap();
    worker
        .handle("late", |context: &Context| {
            context.store().runs().cancel(&sprongus::runs::Cancel::new(&context.run().id))?;
            let refused = context.artifact(&text("late", "never")).unwrap_err();
            assert_eq!(refused.code(), ErrorCode::LeaseLost);
            Err(refused.into())
        })
        .unwrap();
    let of_project = |kind: &str| Enqueue { project: Some("p".to_owned()), ..Enqueue::new(kind, Json::null()) };
    let made = store.runs().enqueue(&of_project("make")).unwrap();
    let late = store.runs().enqueue(&of_project("late")).unwrap();
    worker.run_until_idle(Duration::from_millis(200)).unwrap();
    assert_eq!(get(store.runs(), &made.id).state, RunState::Succeeded);
    assert_eq!(get(store.runs(), &late.id).state, RunState::Canceled);
    let key = |key: &str| ArtifactKey { project: Some("p".to_owned()), ..ArtifactKey::new("report", key) };
    let kept = store.artifacts().latest(&key("a")).unwrap();
    assert_eq!((kept.run_id.as_deref(), kept.version), (Some(made.id.as_str()), 1));
    assert_eq!(code(store.artifacts().latest(&key("late"))), ErrorCode::NotFound);
    // What a run made outlives it, but for its output.
    let prune = Prune { succeeded_after: Duration::ZERO, ..Prune::default() };
    assert_eq!(store.runs().prune(&prune).unwrap(), 1);
    assert_eq!(store.artifacts().latest(&key("a")).unwrap(), kept);
}

fn walled(env: &Env) {
    let store = env.open();
    let p = store.scoped("p", Scope::DEFAULT).unwrap();
    let q = store.scoped("q", Scope::DEFAULT).unwrap();
    let in_p = p.artifacts().put(&text("a", "of p")).unwrap();
    let in_q = q.artifacts().put(&text("a", "of q")).unwrap();
    let of_none = store.artifacts().put(&text("a", "of none")).unwrap();
    assert_eq!((in_p.version, in_q.version, of_none.version), (1, 1, 1));
    assert_eq!(latest(p.artifacts(), "a"), in_p);
    for id in [&in_q.id, &of_none.id] {
        assert_eq!(code(p.artifacts().get(&ArtifactId::new(id))), ErrorCode::NotFound);
    }
    let named = Some("q".to_owned());
    assert_eq!(
        code(p.artifacts().put(&PutArtifact { project: named.clone(), ..text("a", "x") })),
        ErrorCode::PermissionDenied
    );
    let key = ArtifactKey { project: named.clone(), ..ArtifactKey::new("report", "a") };
    assert_eq!(code(p.artifacts().latest(&key)), ErrorCode::PermissionDenied);
    let versions = ArtifactVersions { project: named.clone(), ..ArtifactVersions::new("report", "a") };
    assert_eq!(code(p.artifacts().versions(&versions)), ErrorCode::PermissionDenied);
    let list = ListArtifacts { project: named, ..ListArtifacts::default() };
    assert_eq!(code(p.artifacts().list(&list)), ErrorCode::PermissionDenied);
    let (_folder, zip) = sprongus_testkit::temp_file("out.zip");
    assert_eq!(code(p.artifacts().export_zip(&zip, Some("q"))), ErrorCode::PermissionDenied);
    assert_eq!(p.artifacts().export_zip(&zip, None).unwrap(), 1);
    assert_eq!(p.artifacts().list(&ListArtifacts::default()).unwrap().items, [in_p]);
    let foreign = q.runs().enqueue(&Enqueue::new("k", Json::null())).unwrap();
    let put = PutArtifact { run: Some(foreign.id), ..text("a", "x") };
    assert_eq!(code(p.artifacts().put(&put)), ErrorCode::NotFound);
    let reader = store.scoped("p", &[Scope::RunsRead]).unwrap();
    assert_eq!(code(reader.artifacts().put(&text("a", "x"))), ErrorCode::PermissionDenied);
    latest(reader.artifacts(), "a");
    let writer = store.scoped("p", &[Scope::RunsWrite]).unwrap();
    assert_eq!(code(writer.artifacts().latest(&ArtifactKey::new("report", "a"))), ErrorCode::PermissionDenied);
}

fn transaction(env: &Env) {
    let store = env.open();
    let undone: sprongus::Result<()> = store.transaction(|tx| {
        tx.artifacts().put(&text("a", "never"))?;
        assert_eq!(tx.artifacts().put(&text("a", "never"))?.version, 2);
        assert_eq!(code(tx.artifacts().put(&PutArtifact::new("", "a"))), ErrorCode::InvalidArgument);
        Err(sprongus::Error::invalid("no"))
    });
    assert_eq!(code(undone), ErrorCode::InvalidArgument);
    assert_eq!(code(store.artifacts().latest(&ArtifactKey::new("report", "a"))), ErrorCode::NotFound);
    store.transaction(|tx| tx.artifacts().put(&text("a", "kept"))).unwrap();
    assert_eq!(latest(store.artifacts(), "a").version, 1);
    let reading = match env.backend() {
        Backend::SqliteMemory => return,
        _ => env.open_with(Options { read_only: true, migrate: false, ..env.options() }),
    };
    let same = PutArtifact { if_changed: true, ..text("a", "kept") };
    for put in [text("a", "x"), same] {
        assert_eq!(code(reading.artifacts().put(&put)), ErrorCode::PermissionDenied);
    }
    assert_eq!(latest(reading.artifacts(), "a").version, 1);
}

fn call(on: Face<'_, '_>, name: &str, request: &Value) -> Value {
    let (name, request) = (format!("artifacts.{name}"), request.to_string());
    let answer = match on {
        Face::Store(store) => ops::call(store, &name, request.as_bytes()),
        Face::Tx(tx) => ops::call(tx, &name, request.as_bytes()),
    };
    match answer {
        Ok(text) => serde_json::from_str(&text).unwrap(),
        Err(error) => json!({ "error": error.code() }),
    }
}

fn door(env: &Env) {
    let (_folder, zip) = sprongus_testkit::temp_file("out.zip");
    env.within(|on| {
        let made =
            call(on, "put", &json!({"kind": "k", "key": "a", "json": {"b": 1}, "metadata": {"m": 1}, "project": "p"}));
        assert_eq!((&made["content"], &made["mediaType"]), (&json!("eyJiIjoxfQ=="), &json!("application/json")));
        assert_eq!((&made["projectId"], &made["ref"], &made["size"]), (&json!("p"), &json!(null), &json!(7)));
        let bytes = call(on, "put", &json!({"kind": "k", "key": "b", "bytes": "AP8=", "project": "p"}));
        assert_eq!((&bytes["content"], &bytes["size"]), (&json!("AP8="), &json!(2)));
        let nothing = call(on, "put", &json!({"kind": "k", "key": "c", "json": null, "project": "p"}));
        assert_eq!((&nothing["content"], &nothing["metadata"]), (&json!("bnVsbA=="), &json!({})));
        let far =
            json!({"kind": "k", "key": "d", "ref": "s3://b", "sha256": "0".repeat(64), "size": 9, "project": "p"});
        let far = call(on, "put", &far);
        assert_eq!((&far["content"], &far["ref"]), (&json!(null), &json!("s3://b")));
        assert_eq!(call(on, "get", &json!({"id": made["id"]})), made);
        assert_eq!(call(on, "latest", &json!({"kind": "k", "key": "b", "project": "p"})), bytes);
        let versions = call(on, "versions", &json!({"kind": "k", "key": "c", "project": "p"}));
        assert_eq!(versions, json!({"items": [nothing], "nextCursor": null}));
        let list = call(on, "list", &json!({"project": "p", "limit": 3}));
        assert_eq!(list["items"], json!([made, bytes, nothing]));
        let rest = call(on, "list", &json!({"project": "p", "limit": 3, "cursor": list["nextCursor"]}));
        assert_eq!(rest, json!({"items": [far], "nextCursor": null}));
        assert_eq!(call(on, "export_zip", &json!({"path": zip, "project": "p"})), json!({"count": 4}));
        for (name, request) in [
            ("put", json!({"kind": "k", "key": "a", "more": 1})),
            ("put", json!({"kind": "k", "key": "a", "bytes": "?"})),
            ("put", json!({"kind": "k"})),
            ("get", json!({})),
        ] {
            assert_eq!(call(on, name, &request), json!({"error": "invalid_argument"}), "{name}");
        }
    });
}

/// What a zip holds, in its order: names and contents.
fn unzipped(path: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut entry = archive.by_index(index).unwrap();
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
            (entry.name().unwrap().into_owned(), content)
        })
        .collect()
}

fn zipped(env: &Env) {
    let (folder, path) = sprongus_testkit::temp_file("first.zip");
    let store = env.open();
    let puts = |project: &str| -> Vec<PutArtifact> {
        let project = Some(project.to_owned());
        let large = PutArtifact::bytes("raw", "large", (0..300_000_u32).map(|n| (n % 251) as u8).collect::<Vec<u8>>());
        let far = PutArtifact {
            reference: Some("s3://b/v.mp4".to_owned()),
            sha256: Some("c".repeat(64)),
            size: Some(5),
            ..PutArtifact::new("video", "v")
        };
        let told = PutArtifact { metadata: Some(parsed(r#"{"b":1,"a":2}"#)), ..text("told", "x") };
        [text("b", "bee"), text("a", "ay"), PutArtifact::json("data", "a", parsed(r#"{"n":1}"#)), large, far, told]
            .map(|put| PutArtifact { project: project.clone(), ..put })
            .into()
    };
    for put in puts("p") {
        store.artifacts().put(&put).unwrap();
    }
    // In another order, later, and by way of other versions.
    store.artifacts().put(&PutArtifact { project: Some("q".to_owned()), ..text("a", "first try") }).unwrap();
    for put in puts("q").iter().rev() {
        store.artifacts().put(put).unwrap();
    }
    let again = folder.path().join("again.zip");
    let other = folder.path().join("other.zip");
    std::fs::write(&again, "is replaced").unwrap();
    for (path, project) in [(&path, "p"), (&again, "p"), (&other, "q")] {
        assert_eq!(store.artifacts().export_zip(path, Some(project)).unwrap(), 6);
    }
    let bytes = std::fs::read(&path).unwrap();
    assert!(bytes == std::fs::read(&again).unwrap() && bytes == std::fs::read(&other).unwrap());
    let entries = unzipped(&path);
    let names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["data/a", "raw/large", "report/a", "report/b", "report/told", "manifest.json"]);
    assert_eq!((entries[0].1.as_slice(), entries[2].1.as_slice()), (br#"{"n":1}"#.as_slice(), b"ay".as_slice()));
    let manifest: Value = serde_json::from_slice(&entries[5].1).unwrap();
    let lines = manifest["artifacts"].as_array().unwrap();
    assert_eq!(lines.len(), 6);
    let keys: Vec<&str> = lines[2].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["entry", "key", "kind", "mediaType", "metadata", "sha256", "size"]);
    assert_eq!((&lines[5]["ref"], &lines[5]["entry"]), (&json!("s3://b/v.mp4"), &Value::Null));
    assert_eq!(store.artifacts().export_zip(&other, Some("nobody")).unwrap(), 0);
    let none = json!({"artifacts": []});
    assert_eq!(serde_json::from_slice::<Value>(&unzipped(&other)[0].1).unwrap(), none);
    let left: BTreeSet<_> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "nothing but the zips: {left:?}");
}

fn hostile(env: &Env) {
    let (_folder, path) = sprongus_testkit::temp_file("out.zip");
    env.within(|on| {
        let names = [
            "..",
            ".",
            "a/../../b",
            "a\\b",
            "/etc/x",
            "C:",
            "%2F",
            "/",
            "é",
            "e\u{301}",
            "a b",
            "CON",
            "~",
            "a",
            "A",
            "-",
            "manifest.json",
        ];
        for kind in names {
            for key in names {
                on.artifacts().put(&PutArtifact::text(kind, key, format!("{kind}|{key}"))).unwrap();
            }
        }
        assert_eq!(on.artifacts().export_zip(&path, None).unwrap(), (names.len() * names.len()) as u64);
        let entries = unzipped(&path);
        let unique: BTreeSet<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(unique.len(), names.len() * names.len() + 1);
        for (name, _) in entries.iter().filter(|(name, _)| name != "manifest.json") {
            let parts: Vec<&str> = name.split('/').collect();
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-%".contains(&byte);
            assert!(
                parts.len() == 2 && parts.iter().all(|part| !part.starts_with('.') && part.bytes().all(plain)),
                "{name}"
            );
        }
        assert!(entries.iter().any(|(name, content)| name == "%2E./a%2F..%2F..%2Fb" && content == b"..|a/../../b"));
    });
}

fn places(env: &Env) {
    let (folder, path) = sprongus_testkit::temp_file("out.zip");
    env.within(|on| {
        on.artifacts().put(&text("a", "x")).unwrap();
        assert_eq!(code(on.artifacts().export_zip(folder.path(), None)), ErrorCode::InvalidArgument);
        assert_eq!(
            code(on.artifacts().export_zip(std::path::Path::new("/dev/null"), None)),
            ErrorCode::InvalidArgument
        );
        let nowhere = folder.path().join("missing/out.zip");
        assert_eq!(code(on.artifacts().export_zip(&nowhere, None)), ErrorCode::NotFound);
        if matches!(env.backend(), Backend::SqliteFile | Backend::LentSqlite) {
            let store = std::path::Path::new(env.url());
            assert_eq!(code(on.artifacts().export_zip(store, None)), ErrorCode::InvalidArgument);
        }
        assert_eq!(on.artifacts().export_zip(&path, None).unwrap(), 1);
    });
}
