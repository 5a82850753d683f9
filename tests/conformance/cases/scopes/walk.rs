//! Every operation, through handles of another project: nothing is shown, nothing is touched (DESIGN.md §10 "Isolation").

use std::collections::BTreeSet;

use serde_json::Value;
use sprongus::{Error, ErrorCode, Store, ops};
use sprongus_conformance::{Case, Env};

use super::attempts::{Attempt, Ends, attempts};
use super::case;
use super::world::{MARK, World};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("scopes::no_operation_reaches_another_project", walk),
        case("scopes::a_narrower_and_a_renamed_handle_reach_no_further", renamed),
        case("scopes::no_operation_in_a_transaction_reaches_another_project", in_transaction),
    ]
}

/// Misuse within a transaction, whoever asks.
const OUTSIDE: &[&str] = &["runs.wait", "aux.sync"];

fn walk(env: &Env) {
    let world = World::new(env);
    let all = attempts(&world);
    let tried: BTreeSet<&str> = all.iter().map(|attempt| attempt.operation).collect();
    let known: BTreeSet<&str> = ops::all().iter().map(|operation| operation.name).collect();
    let forgotten: Vec<_> = known.difference(&tried).collect();
    assert!(forgotten.is_empty(), "nobody tries these through a handle of another project: {forgotten:?}");
    let before = world.rows();
    let stranger = world.stranger();
    let mut wrong = Vec::new();
    for attempt in &all {
        wrong.extend(judge(&world, attempt, call(&stranger, attempt)));
        wrong.extend(harm(&world, &before, attempt.operation));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{}: {} operations walked by {} attempts", env.backend().as_str(), known.len(), all.len());
}

fn renamed(env: &Env) {
    let world = World::new(env);
    let before = world.rows();
    let stranger = world.stranger().acting_as(MARK, Some("to be taken for it")).unwrap();
    let stranger = stranger.scoped("beryl", sprongus::Scope::DEFAULT).unwrap();
    let mut wrong = tried(&world, &stranger);
    wrong.extend(harm(&world, &before, "a renamed handle"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// All attempts on amber's things by that handle of beryl's; what is wrong with how they end.
pub(super) fn tried(world: &World, stranger: &Store) -> Vec<String> {
    attempts(world).iter().filter_map(|attempt| judge(world, attempt, call(stranger, attempt))).collect()
}

fn in_transaction(env: &Env) {
    let world = World::new(env);
    let before = world.rows();
    let stranger = world.stranger();
    let tx = stranger.begin().unwrap();
    let inner = tx.savepoint().unwrap();
    let mut wrong = Vec::new();
    for attempt in &attempts(&world) {
        match call(&inner, attempt) {
            Err(error) if error.code() == ErrorCode::Misuse && OUTSIDE.contains(&attempt.operation) => {}
            answer => wrong.extend(judge(&world, attempt, answer)),
        }
    }
    inner.commit().unwrap();
    tx.commit().unwrap();
    wrong.extend(harm(&world, &before, "a transaction"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn call(on: &dyn ops::Target, attempt: &Attempt) -> Result<String, Error> {
    ops::call(on, attempt.operation, attempt.request.to_string().as_bytes())
}

/// What is wrong with how it ended.
fn judge(world: &World, attempt: &Attempt, answer: Result<String, Error>) -> Option<String> {
    let Attempt { operation, request, ends } = attempt;
    let wanted = match ends {
        Ends::NotFound => Some(ErrorCode::NotFound),
        Ends::Denied => Some(ErrorCode::PermissionDenied),
        Ends::Refused(code) => Some(*code),
        Ends::Own => None,
    };
    let told = match &answer {
        Ok(answer) => answer.clone(),
        Err(error) => error.to_json().to_string(),
    };
    let ended = match (&answer, wanted) {
        (Err(error), Some(wanted)) => error.code() == wanted,
        // Reports on many are refused each for itself.
        (Ok(answer), Some(wanted)) => operation.ends_with("_many") && each(answer, wanted),
        (answer, None) => answer.is_ok(),
    };
    let said = request.to_string();
    // The handle may be named as it likes.
    let heard = told.replace("\"actor\":\"amber\"", "");
    let shown = world.secrets().iter().any(|secret| !said.contains(*secret) && heard.contains(*secret));
    (!ended || shown).then(|| format!("{operation} {request} was to end {ends:?}: {told}"))
}

fn each(answer: &str, wanted: ErrorCode) -> bool {
    let answer: Value = serde_json::from_str(answer).unwrap();
    answer.as_array().unwrap().iter().all(|one| one["error"]["code"].as_str() == Some(wanted.as_str()))
}

/// What was there and is not any more, byte by byte.
pub(super) fn harm(world: &World, before: &BTreeSet<String>, by: &str) -> Option<String> {
    let after = world.rows();
    let gone: Vec<&String> = before.difference(&after).collect();
    (!gone.is_empty()).then(|| format!("{by} changed or removed {gone:#?}"))
}
