//! What is done with runs.

use std::ffi::{c_char, c_void};
use std::time::Duration;

use sprongus::runs::{
    Cancel, Claim, Enqueue, EnqueueMany, Fail, GetRun, Heartbeat, ListRuns, Order, Rescue, RunEvents, RunOutput,
    StartRun, Succeed,
};
use sprongus::{Error, Result, Run, RunState, Runs, Timestamp};

use crate::args::{self, Out, Plain};
use crate::buf::{Buf, sprongus_buf};
use crate::error::sprongus_error;
use crate::record::give_json;
use crate::run::{RunList, RunRecord, sprongus_run, sprongus_run_list};
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

/// What a worker claims; zero is the default of each. Begin with `SPRONGUS_INIT(options)`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sprongus_claim_options {
    /// `sizeof(sprongus_claim_options)`.
    pub struct_size: usize,
    /// `kinds_count` kinds; "sync/*" is all that begin with "sync/". NULL: every kind.
    pub kinds: *const *const c_char,
    /// How many kinds.
    pub kinds_count: usize,
    /// `projects_count` projects; NULL: all that the handle sees.
    pub projects: *const *const c_char,
    /// How many projects.
    pub projects_count: usize,
    /// At most so many runs, up to 1,000; 1. SPRONGUS_NONE: none.
    pub limit: i64,
    /// For how long; a heartbeat extends it by as much. 60,000.
    pub lease_ms: i64,
    /// Not 0: leave them "dispatching", to be started by sprongus_runs_start.
    pub dispatch: i32,
}

// SAFETY: `repr(C)`, begins with its size, integers and pointers alone.
unsafe impl Plain for sprongus_claim_options {}

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
}

// SAFETY: `repr(C)`, begins with its size, integers and pointers alone.
unsafe impl Plain for sprongus_runs_query {}

/// Calls a service of runs on the store or transaction, and hands the run over where it is wanted.
fn one(
    store_or_tx: *const c_void,
    out: Out<*mut sprongus_run>,
    ask: impl FnOnce(Runs<'_>) -> Result<Run>,
) -> Result<()> {
    out.give(RunRecord::from(target::on(store_or_tx, |on| ask(on.runs()))?))
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
        out.give(RunList::all(done)?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Takes due runs for a worker: highest priority first, then the earliest `run_at`, then by id. None is no error: the list
/// is empty then.
///
/// `options` may be NULL: one run of any kind, for a minute. Runs whose lease has run out are rescued within the same call.
///
/// ```c
/// sprongus_run_list *runs = NULL;
/// sprongus_runs_claim_next(store, "worker-1", NULL, &runs, &error);
/// const sprongus_run *run = sprongus_run_list_at(runs, 0);
/// if (run != NULL)
///     sprongus_runs_succeed(store, sprongus_run_id(run), sprongus_run_lease(run), "42", 2, NULL, NULL, &error);
/// sprongus_run_list_free(runs);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_claim_next(
    store_or_tx: *const c_void,
    worker_id: *const c_char,
    options: *const sprongus_claim_options,
    runs: *mut *mut sprongus_run_list,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, structs and out-pointers.
        let (out, request) = unsafe { (args::place("runs", runs)?, claim(worker_id, options)?) };
        let claimed = target::on(store_or_tx, |on| on.runs().claim_next(&request))?;
        out.give(RunList::all(claimed)?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

unsafe fn claim(worker_id: *const c_char, options: *const sprongus_claim_options) -> Result<Claim> {
    // SAFETY: the caller's promises for text and structs.
    unsafe {
        let given = args::plain("options", options)?;
        let new = Claim::new(args::text("worker_id", worker_id)?);
        Ok(Claim {
            kinds: args::texts_opt("options.kinds", given.kinds, given.kinds_count)?,
            projects: args::texts_opt("options.projects", given.projects, given.projects_count)?,
            limit: args::limit(given.limit, new.limit),
            lease: args::millis("options.lease_ms", given.lease_ms)?.unwrap_or(new.lease),
            dispatch: given.dispatch != 0,
            ..new
        })
    }
}

/// Begins a run that was claimed with `dispatch`; once more under the same lease is no change. `run` may be NULL.
///
/// Errors: `invalid_state`, `lease_lost`, `not_found`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_start(
    store_or_tx: *const c_void,
    id: *const c_char,
    lease: i64,
    run: *mut *mut sprongus_run,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, id) = unsafe { (args::place_opt(run), args::text("id", id)?) };
        one(store_or_tx, out, |runs| runs.start(&StartRun::new(id, lease)))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Extends the lease of a running run, and tells its progress where `progress` (JSON of `length` bytes) is not NULL.
///
/// `extend_ms` is for how long from now; 0: as long as it was claimed for. `run` may be NULL; look at its state: a canceled
/// run is given as it is, and its worker stops. Errors: `lease_lost`, `invalid_state`, `not_found`, `too_large`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_heartbeat(
    store_or_tx: *const c_void,
    id: *const c_char,
    lease: i64,
    progress: *const c_char,
    length: usize,
    extend_ms: i64,
    run: *mut *mut sprongus_run,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, bytes and out-pointers.
        let (out, id, progress) =
            unsafe { (args::place_opt(run), args::text("id", id)?, args::json_opt("progress", progress, length)?) };
        let extend: Option<Duration> = args::millis("extend_ms", extend_ms)?;
        let request = Heartbeat { progress, extend, ..Heartbeat::new(id, lease) };
        one(store_or_tx, out, |runs| runs.heartbeat(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Reports success, with an output (JSON of `length` bytes) or, where that is NULL, with `output_ref` (may be NULL): where
/// it is kept. `run` may be NULL. The same again under the same lease gives the stored outcome.
///
/// Errors: `lease_lost`, `invalid_state` where it was never claimed or not started, `not_found`, `too_large`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_succeed(
    store_or_tx: *const c_void,
    id: *const c_char,
    lease: i64,
    output: *const c_char,
    length: usize,
    output_ref: *const c_char,
    run: *mut *mut sprongus_run,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, bytes and out-pointers.
        let (out, id, output, output_ref) = unsafe {
            let (out, id) = (args::place_opt(run), args::text("id", id)?);
            (out, id, args::json_opt("output", output, length)?, args::owned_opt("output_ref", output_ref)?)
        };
        let request = Succeed { output, output_ref, ..Succeed::new(id, lease) };
        one(store_or_tx, out, |runs| runs.succeed(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Reports failure; `message` says what went wrong. Queued again while attempts are left, unless `is_final` is not 0.
///
/// `retry_in_ms` is when the next attempt is due: 0 is exponential backoff with full jitter, SPRONGUS_NONE at once. `run`
/// may be NULL. Errors: `lease_lost`, `invalid_state` where it was never claimed or not started, `not_found`,
/// `invalid_argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_fail(
    store_or_tx: *const c_void,
    id: *const c_char,
    lease: i64,
    message: *const c_char,
    is_final: i32,
    retry_in_ms: i64,
    run: *mut *mut sprongus_run,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, id, message) =
            unsafe { (args::place_opt(run), args::text("id", id)?, args::text("message", message)?) };
        let retry_in = args::millis("retry_in_ms", retry_in_ms)?;
        let request = Fail { retryable: is_final == 0, retry_in, ..Fail::new(id, lease, message) };
        one(store_or_tx, out, |runs| runs.fail(&request))
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

/// Puts runs whose lease has run out back into the queue, at most `limit` (up to 1,000; 0: 1,000); claims do the same as
/// they go. `rescued`, which may be NULL, is their number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_rescue(
    store_or_tx: *const c_void,
    limit: i64,
    rescued: *mut i64,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: `rescued` is NULL or the caller's to be written.
        let out = unsafe { Out::optional(rescued, 0) };
        let request = Rescue { limit: args::limit(limit, Rescue::default().limit) };
        out.set(target::on(store_or_tx, |on| on.runs().rescue(&request))?);
        Ok(())
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
        out.give(RunList::page(page)?)
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
