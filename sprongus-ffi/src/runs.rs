//! What is done with runs by those who ask for them; their work is in `worker`.

pub mod many;
pub mod steps;
pub mod upkeep;
pub mod worker;

use std::ffi::{c_char, c_void};

use sprongus::runs::{
    Cancel, Enqueue, EnqueueMany, ExplainRun, FindIdempotent, GetRun, ListRuns, Order, RetryRun, RunEvents, RunOutput,
    WaitRun,
};
use sprongus::{Error, Result, Run, RunState, Runs, Timestamp};

use crate::args::{self, Out, Plain};
use crate::buf::{Buf, sprongus_buf};
use crate::error::sprongus_error;
use crate::record::{List, Record, give_json};
use crate::run::{sprongus_run, sprongus_run_list};
use crate::{door, target};

/// How a run is enqueued; zero is the default of each. Begin with `SPRONGUS_INIT(options)`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sprongus_enqueue_options {
    /// `sizeof(sprongus_enqueue_options)`.
    pub struct_size: usize,
    /// Whose it is.
    pub project: *const c_char,
    /// The same key in the same project gives the first run; another kind or input under it is `conflict`.
    pub idempotency_key: *const c_char,
    /// Executions after which a failure is final; 3.
    pub max_attempts: i64,
    /// Higher is claimed first; 0.
    pub priority: i64,
    /// Not before that time (RFC 3339); not together with `delay_ms`.
    pub run_at: *const c_char,
    /// Not before that much time has passed.
    pub delay_ms: i64,
    /// The longest an attempt may take; no limit.
    pub timeout_ms: i64,
    /// Not 0: wait for an approval before it is queued.
    pub needs_approval: i32,
    /// Who asks for it.
    pub requested_by: *const c_char,
    /// The channel it is asked for in.
    pub channel_id: *const c_char,
    /// The conversation within the channel.
    pub conversation_id: *const c_char,
    /// The run that asks for it.
    pub parent: *const c_char,
}

// SAFETY: `repr(C)`, begins with its size, integers and pointers alone.
unsafe impl Plain for sprongus_enqueue_options {}

/// Which runs to list; zero is the default of each, filters hold together. Begin with `SPRONGUS_INIT(query)`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sprongus_runs_query {
    /// `sizeof(sprongus_runs_query)`.
    pub struct_size: usize,
    /// Of that project.
    pub project: *const c_char,
    /// In one of `states_count` states ("queued", …); NULL: in any.
    pub states: *const *const c_char,
    /// How many states.
    pub states_count: usize,
    /// Of one of `kinds_count` kinds; NULL: of any.
    pub kinds: *const *const c_char,
    /// How many kinds.
    pub kinds_count: usize,
    /// Enqueued at that time (RFC 3339) or after it.
    pub since: *const c_char,
    /// Enqueued before that time.
    pub before: *const c_char,
    /// Asked for in that channel.
    pub channel_id: *const c_char,
    /// Asked for in that conversation.
    pub conversation_id: *const c_char,
    /// Not 0: the first enqueued first; else the last.
    pub oldest_first: i32,
    /// At most so many, up to 1,000; 50. SPRONGUS_NONE: none.
    pub limit: i64,
    /// sprongus_run_list_next_cursor of the page before, with the same filters and order.
    pub cursor: *const c_char,
    /// The children of that run.
    pub parent: *const c_char,
}

// SAFETY: `repr(C)`, begins with its size, integers and pointers alone.
unsafe impl Plain for sprongus_runs_query {}

/// Calls a service of runs on the store or transaction, and hands the run over where it is wanted.
fn one(
    store_or_tx: *const c_void,
    out: Out<*mut sprongus_run>,
    ask: impl FnOnce(Runs<'_>) -> Result<Run>,
) -> Result<()> {
    out.give(Record::from(target::on(store_or_tx, |on| ask(on.runs()))?))
}

/// Puts a run into the queue, or gives the one already there under its idempotency key.
///
/// `input` is JSON of `length` bytes; NULL of length 0 is null. `options` and `run` may be NULL. Errors:
/// `invalid_argument`; `conflict` where the key belongs to a run of another kind or input; `too_large`; `validation`
/// (`input` is not JSON, or breaks the preset bound to the kind).
///
/// ```c
/// sprongus_enqueue_options options;
/// SPRONGUS_INIT(options);
/// options.idempotency_key = "order-17";
/// const char *input = "{\"to\": \"a@b.c\"}";
/// sprongus_run *run = NULL;
/// if (sprongus_runs_enqueue(store, "mail.send", input, strlen(input), &options, &run, &error) == SPRONGUS_OK)
///     printf("%s\n", sprongus_run_id(run));
/// sprongus_run_free(run);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_enqueue(
    store_or_tx: *const c_void,
    kind: *const c_char,
    input: *const c_char,
    length: usize,
    options: *const sprongus_enqueue_options,
    run: *mut *mut sprongus_run,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, bytes, structs and out-pointers.
        let (out, request) = unsafe { (args::place_opt(run), enqueue(kind, input, length, options)?) };
        one(store_or_tx, out, |runs| runs.enqueue(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

unsafe fn enqueue(
    kind: *const c_char,
    input: *const c_char,
    length: usize,
    options: *const sprongus_enqueue_options,
) -> Result<Enqueue> {
    // SAFETY: the caller's promises for text, bytes and structs.
    unsafe {
        let kind = args::text("kind", kind)?;
        let input = args::json_opt("input", input, length)?.unwrap_or_default();
        let given = args::plain("options", options)?;
        let new = Enqueue::new(kind, input);
        Ok(Enqueue {
            project: args::owned_opt("options.project", given.project)?,
            idempotency_key: args::owned_opt("options.idempotency_key", given.idempotency_key)?,
            max_attempts: if given.max_attempts == 0 { new.max_attempts } else { given.max_attempts },
            priority: given.priority,
            run_at: time_opt("options.run_at", given.run_at)?,
            delay: args::millis("options.delay_ms", given.delay_ms)?,
            timeout: args::millis("options.timeout_ms", given.timeout_ms)?,
            needs_approval: given.needs_approval != 0,
            requested_by: args::owned_opt("options.requested_by", given.requested_by)?,
            channel_id: args::owned_opt("options.channel_id", given.channel_id)?,
            conversation_id: args::owned_opt("options.conversation_id", given.conversation_id)?,
            parent: args::owned_opt("options.parent", given.parent)?,
            ..new
        })
    }
}

/// # Safety
/// `text` is NULL or terminated.
unsafe fn time_opt(name: &str, text: *const c_char) -> Result<Option<Timestamp>> {
    // SAFETY: the same promise.
    let text = unsafe { args::text_opt(name, text) }?;
    let parsed = text.map(str::parse::<Timestamp>).transpose();
    parsed.map_err(|_| Error::invalid(format!("{name} is not a time by RFC 3339, as 2024-02-29T12:00:00Z")))
}

/// Puts runs into the queue, all or none.
///
/// `items` is a JSON array of `length` bytes, each item an object as `runs.enqueue` of sprongus_call takes it (kind, input,
/// project, idempotencyKey, …). `runs`, in the order of the items, may be NULL. Errors: as sprongus_runs_enqueue.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_enqueue_many(
    store_or_tx: *const c_void,
    items: *const c_char,
    length: usize,
    runs: *mut *mut sprongus_run_list,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for bytes and out-pointers.
        let (out, items) = unsafe { (args::place_opt(runs), args::required("items", items, length)?) };
        let items: Vec<Enqueue> = sprongus::json::decode(items)?;
        let done = target::on(store_or_tx, |on| on.runs().enqueue_many(&EnqueueMany::new(items)))?;
        out.give(List::all(&done)?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Cancels a run that is not final; its worker learns by its next heartbeat. `reason` and `run` may be NULL.
///
/// Once more is no change. Errors: `invalid_state` where it ended otherwise, `not_found`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_cancel(
    store_or_tx: *const c_void,
    id: *const c_char,
    reason: *const c_char,
    run: *mut *mut sprongus_run,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, id, reason) =
            unsafe { (args::place_opt(run), args::text("id", id)?, args::owned_opt("reason", reason)?) };
        one(store_or_tx, out, |runs| runs.cancel(&Cancel { reason, ..Cancel::new(id) }))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// One run. Errors: `not_found`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_get(
    store_or_tx: *const c_void,
    id: *const c_char,
    run: *mut *mut sprongus_run,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, id) = unsafe { (args::place("run", run)?, args::text("id", id)?) };
        one(store_or_tx, out, |runs| runs.get(&GetRun::new(id)))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Runs by filters, a page at a time, the last enqueued first. `query` may be NULL. Errors: `invalid_argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_list(
    store_or_tx: *const c_void,
    query: *const sprongus_runs_query,
    runs: *mut *mut sprongus_run_list,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for structs and out-pointers.
        let (out, request) = unsafe { (args::place("runs", runs)?, list(query)?) };
        let page = target::on(store_or_tx, |on| on.runs().list(&request))?;
        out.give(List::page(&page)?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

unsafe fn list(query: *const sprongus_runs_query) -> Result<ListRuns> {
    // SAFETY: the caller's promises for text and structs.
    unsafe {
        let given = args::plain("query", query)?;
        let states = args::texts_opt("query.states", given.states, given.states_count)?;
        let states = states.map(|names| names.iter().map(|name| RunState::parse(name)).collect()).transpose()?;
        Ok(ListRuns {
            project: args::owned_opt("query.project", given.project)?,
            state: states,
            kind: args::texts_opt("query.kinds", given.kinds, given.kinds_count)?,
            since: time_opt("query.since", given.since)?,
            before: time_opt("query.before", given.before)?,
            channel_id: args::owned_opt("query.channel_id", given.channel_id)?,
            conversation_id: args::owned_opt("query.conversation_id", given.conversation_id)?,
            parent: args::owned_opt("query.parent", given.parent)?,
            order: if given.oldest_first != 0 { Order::Oldest } else { Order::Newest },
            limit: args::limit(given.limit, sprongus::page::DEFAULT_LIMIT),
            cursor: args::owned_opt("query.cursor", given.cursor)?,
        })
    }
}

/// All events of a run, in their order, as a JSON array (id, runId, subject, seq, type, at, actor, payload).
///
/// Errors: `not_found`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_events(
    store_or_tx: *const c_void,
    id: *const c_char,
    events: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, id) = unsafe { (args::place("events", events)?, args::text("id", id)?) };
        give_json(out, &target::on(store_or_tx, |on| on.runs().events(&RunEvents::new(id)))?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// What a run's last success put out, as JSON. Errors: `not_found` where there is none here: no output, or kept elsewhere
/// by `output_ref`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_output(
    store_or_tx: *const c_void,
    id: *const c_char,
    output: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, id) = unsafe { (args::place("output", output)?, args::text("id", id)?) };
        out.give(Buf::text(target::on(store_or_tx, |on| on.runs().output(&RunOutput::new(id)))?.as_str()))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// The run under an idempotency key; `*run` is NULL where there is none. `project` may be NULL.
///
/// What creates a run only where there is none: ask this, make the input where it is NULL, and enqueue under the same key; of
/// several that do so at once one run is kept and all get it. Errors: `invalid_argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_find_idempotent(
    store_or_tx: *const c_void,
    key: *const c_char,
    project: *const c_char,
    run: *mut *mut sprongus_run,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, key, project) =
            unsafe { (args::place("run", run)?, args::text("key", key)?, args::owned_opt("project", project)?) };
        let request = FindIdempotent { project, ..FindIdempotent::new(key) };
        match target::on(store_or_tx, |on| on.runs().find_idempotent(&request))? {
            Some(found) => out.give(Record::from(found)),
            None => Ok(()),
        }
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Queues a run that failed, timed out or was canceled once more, by hand: a new series, due at once. `run` may be NULL.
///
/// Errors: `invalid_state`, `not_found`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_retry(
    store_or_tx: *const c_void,
    id: *const c_char,
    run: *mut *mut sprongus_run,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, id) = unsafe { (args::place_opt(run), args::text("id", id)?) };
        one(store_or_tx, out, |runs| runs.retry(&RetryRun::new(id)))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Waits until a run has ended, at most `timeout_ms`: 0 without end, SPRONGUS_NONE not at all. `run` may be NULL.
///
/// Errors: `timeout`, `not_found`; `misuse` in a transaction.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_wait(
    store_or_tx: *const c_void,
    id: *const c_char,
    timeout_ms: i64,
    run: *mut *mut sprongus_run,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, id) = unsafe { (args::place_opt(run), args::text("id", id)?) };
        let request = WaitRun { timeout: args::millis("timeout_ms", timeout_ms)?, ..WaitRun::new(id) };
        one(store_or_tx, out, |runs| runs.wait(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// In words: why a run is not running, and what would change that. Errors: `not_found`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_explain(
    store_or_tx: *const c_void,
    id: *const c_char,
    text: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, id) = unsafe { (args::place("text", text)?, args::text("id", id)?) };
        out.give(Buf::text(&target::on(store_or_tx, |on| on.runs().explain(&ExplainRun::new(id)))?))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}
