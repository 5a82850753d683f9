//! `sprongus_run` and `sprongus_run_list`: records of runs.

use std::borrow::Cow;
use std::ffi::c_char;

use sprongus::{Run, RunState, Timestamp};

use crate::record::{self, List, Record, Shown, json, number, text};
use crate::{door, handle};

/// A run as it was when the call returned. Freed by sprongus_run_free, or with the list it came from.
pub struct sprongus_run {
    _opaque: [u8; 0],
}

/// Runs. Freed by sprongus_run_list_free, and its runs with it.
pub struct sprongus_run_list {
    _opaque: [u8; 0],
}

impl Shown for Run {
    type One = sprongus_run;
    type Many = sprongus_run_list;
    const TAGS: [u8; 2] = [7, 8];
    const NAMES: [&'static str; 2] = ["sprongus_run", "sprongus_run_list"];
}

fn borrowed(text: &Option<String>) -> Option<Cow<'_, str>> {
    text.as_deref().map(Cow::Borrowed)
}

fn time(time: Option<Timestamp>) -> Option<Cow<'static, str>> {
    time.map(|time| Cow::Owned(time.to_string()))
}

/// Its id, a ULID. Borrowed; NULL for no run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_id(run: *const sprongus_run) -> *const c_char {
    text::<Run>(run, "id", |run| Some(Cow::Borrowed(&run.id)))
}

/// Its project; NULL where it has none. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_project_id(run: *const sprongus_run) -> *const c_char {
    text::<Run>(run, "project_id", |run| borrowed(&run.project_id))
}

/// What is to be done. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_kind(run: *const sprongus_run) -> *const c_char {
    text::<Run>(run, "kind", |run| Some(Cow::Borrowed(&run.kind)))
}

/// What it is to be done with, as JSON. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_input(run: *const sprongus_run) -> *const c_char {
    text::<Run>(run, "input", |run| Some(Cow::Borrowed(run.input.as_str())))
}

/// "awaiting_approval", "queued", "dispatching", "running", "succeeded", "failed", "denied", "canceled" or "timed_out".
/// Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_state(run: *const sprongus_run) -> *const c_char {
    text::<Run>(run, "state", |run| Some(Cow::Borrowed(run.state.as_str())))
}

/// Whether nothing more will happen to it, unless it is retried by hand.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_is_final(run: *const sprongus_run) -> bool {
    number::<Run, _>(run, false, |run| RunState::is_final(run.state))
}

/// The last failure; NULL where there is none. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_error(run: *const sprongus_run) -> *const c_char {
    text::<Run>(run, "error", |run| borrowed(&run.error))
}

/// Where its output is kept; NULL where there is none. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_output_ref(run: *const sprongus_run) -> *const c_char {
    text::<Run>(run, "output_ref", |run| borrowed(&run.output_ref))
}

/// What the last heartbeat told, as JSON; "null" where none did. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_progress(run: *const sprongus_run) -> *const c_char {
    text::<Run>(run, "progress", |run| Some(Cow::Borrowed(run.progress.as_str())))
}

/// Its idempotency key; NULL where it has none. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_idempotency_key(run: *const sprongus_run) -> *const c_char {
    text::<Run>(run, "idempotency_key", |run| borrowed(&run.idempotency_key))
}

/// The worker that has it, or had it last; NULL where none did. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_claimed_by(run: *const sprongus_run) -> *const c_char {
    text::<Run>(run, "claimed_by", |run| borrowed(&run.claimed_by))
}

/// It is not claimed before that time. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_run_at(run: *const sprongus_run) -> *const c_char {
    text::<Run>(run, "run_at", |run| time(Some(run.run_at)))
}

/// When the lease runs out unless it is extended; NULL where it is not claimed. On SQLite for display only. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_lease_until(run: *const sprongus_run) -> *const c_char {
    text::<Run>(run, "lease_until", |run| time(run.lease_until))
}

/// When it was enqueued. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_created_at(run: *const sprongus_run) -> *const c_char {
    text::<Run>(run, "created_at", |run| time(Some(run.created_at)))
}

/// When it last changed. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_updated_at(run: *const sprongus_run) -> *const c_char {
    text::<Run>(run, "updated_at", |run| time(Some(run.updated_at)))
}

/// When it became final; NULL before. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_finished_at(run: *const sprongus_run) -> *const c_char {
    text::<Run>(run, "finished_at", |run| time(run.finished_at))
}

/// The lease of the last claim: reports name it. Rises with each claim; 0 before the first, and for no run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_lease(run: *const sprongus_run) -> i64 {
    number::<Run, _>(run, 0, |run| run.lease)
}

/// Executions in this series; 0 before the first claim.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_attempt(run: *const sprongus_run) -> i64 {
    number::<Run, _>(run, 0, |run| run.attempt)
}

/// Executions after which a failure is final.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_max_attempts(run: *const sprongus_run) -> i64 {
    number::<Run, _>(run, 0, |run| run.max_attempts)
}

/// Higher is claimed first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_priority(run: *const sprongus_run) -> i64 {
    number::<Run, _>(run, 0, |run| run.priority)
}

/// Counts its transitions; each is the event with this as its seq.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_version(run: *const sprongus_run) -> i64 {
    number::<Run, _>(run, 0, |run| run.version)
}

/// On what enqueue gave: whether this is an earlier run under the same key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_deduplicated(run: *const sprongus_run) -> bool {
    number::<Run, _>(run, false, |run| run.deduplicated)
}

/// All of it as JSON, the fields without a getter too. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_to_json(run: *const sprongus_run) -> *const c_char {
    text::<Run>(run, "json", |run| json(run).ok().map(Cow::Owned))
}

/// Frees a run. NULL, what is no run, and a run of a list are passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_free(run: *mut sprongus_run) {
    door::quiet(|| handle::free::<Record<Run>>(run));
}

/// How many runs there are; 0 for no list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_list_count(list: *const sprongus_run_list) -> usize {
    record::count::<Run>(list)
}

/// A run, counted from 0. Borrowed; NULL where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_list_at(list: *const sprongus_run_list, index: usize) -> *const sprongus_run {
    record::at::<Run>(list, index)
}

/// What to give as `cursor` for the next page; NULL on the last. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_list_next_cursor(list: *const sprongus_run_list) -> *const c_char {
    record::next_cursor::<Run>(list)
}

/// All of it as JSON: of sprongus_runs_list an object of items and nextCursor, else an array. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_list_to_json(list: *const sprongus_run_list) -> *const c_char {
    record::list_json::<Run>(list)
}

/// Frees runs. NULL and what is no list are passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_run_list_free(list: *mut sprongus_run_list) {
    door::quiet(|| handle::free::<List<Run>>(list));
}
