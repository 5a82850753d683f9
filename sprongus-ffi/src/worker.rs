//! `sprongus_worker`: the loop that claims, calls handlers, extends leases and reports.

use std::ffi::{CString, c_char, c_void};
use std::sync::Arc;

use sprongus::worker::{Context, Handler, HandlerError, Outcome, Worker, WorkerOptions};
use sprongus::{Error, Result};

use crate::args::{self, Out, Plain};
use crate::buf::sprongus_buf;
use crate::context::{ContextHandle, refused, sprongus_context};
use crate::door;
use crate::error::{c_text, sprongus_error};
use crate::handle::{self, Noun};
use crate::host::{Destroy, sprongus_destroy};
use crate::record::give_json;
use crate::store::{StoreHandle, sprongus_store};

/// The run succeeded, with what sprongus_context_output or sprongus_context_output_ref was given.
pub const SPRONGUS_DONE: i32 = 0;
/// The attempt failed; another may do better.
pub const SPRONGUS_RETRY: i32 = 1;
/// The run failed for good.
pub const SPRONGUS_FATAL: i32 = 2;
/// The run is put off by what sprongus_context_snooze was given, and the attempt is given back.
pub const SPRONGUS_SNOOZED: i32 = 3;
/// The run waits for the approval that sprongus_context_approval asked for.
pub const SPRONGUS_AWAITING: i32 = 4;

/// Works one run; returns SPRONGUS_DONE, SPRONGUS_RETRY, SPRONGUS_FATAL, SPRONGUS_SNOOZED or SPRONGUS_AWAITING. Anything
/// else, the status of a call that failed for example, is SPRONGUS_RETRY.
///
/// It runs on threads of the worker, several at a time; it must not throw. It may be called again for the same run: after a
/// failure, a crash, a lost lease.
pub type sprongus_handler =
    Option<unsafe extern "C" fn(user_data: *mut c_void, context: *const sprongus_context) -> i32>;

/// A worker. Freed by sprongus_worker_free, which lets go of its runs without waiting: stop it before.
pub struct sprongus_worker {
    _opaque: [u8; 0],
}

/// How a worker works; zero is the default of each. Begin with `SPRONGUS_INIT(options)`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sprongus_worker_options {
    /// `sizeof(sprongus_worker_options)`.
    pub struct_size: usize,
    /// Its name, as runs and events carry it; NULL: made of the process id and a ULID.
    pub worker_id: *const c_char,
    /// How many handlers run at a time, each on a thread of its own; 4.
    pub concurrency: u32,
    /// For how long runs are claimed; extended three times as often. 60,000.
    pub lease_ms: i64,
    /// How often the database is asked where nothing woke the worker; 1,000.
    pub poll_interval_ms: i64,
    /// `projects_count` projects; NULL: all that the handle sees.
    pub projects: *const *const c_char,
    /// How many projects.
    pub projects_count: usize,
}

// SAFETY: `repr(C)`, begins with its size, integers and pointers alone.
unsafe impl Plain for sprongus_worker_options {}

struct WorkerHandle {
    worker: Worker,
    id: CString,
}

impl Noun for WorkerHandle {
    type C = sprongus_worker;
    const TAG: u8 = 16;
    const NAME: &'static str = "sprongus_worker";
}

/// A handler of the host's.
struct Foreign {
    run: unsafe extern "C" fn(*mut c_void, *const sprongus_context) -> i32,
    user_data: Destroy,
}

// SAFETY: the host is told that its handler runs on threads of the worker, several at a time; so is what it needs.
unsafe impl Send for Foreign {}
// SAFETY: the same.
unsafe impl Sync for Foreign {}

impl Handler for Foreign {
    fn handle(&self, context: &Context) -> Result<Outcome, HandlerError> {
        let made = ContextHandle::new(context.clone()).and_then(handle::give);
        let id = made.map_err(|error| HandlerError::Retry(refused(&error)))?;
        // SAFETY: the host's own function, with what it gave for it; the context lives until it returns.
        let status = unsafe { (self.run)(self.user_data.data(), id) };
        let said = handle::peek::<ContextHandle>(id).map(|context| context.take_said()).unwrap_or_default();
        handle::free::<ContextHandle>(id);
        let message = said.message.unwrap_or_else(|| "the handler failed and did not say why".to_owned());
        match status {
            _ if said.awaiting => Err(HandlerError::Awaiting),
            SPRONGUS_DONE => Ok(said.outcome),
            SPRONGUS_FATAL => Err(HandlerError::Fatal(message)),
            SPRONGUS_SNOOZED => Err(HandlerError::Snooze(said.delay)),
            SPRONGUS_RETRY => Err(HandlerError::Retry(message)),
            other => Err(HandlerError::Retry(format!("{message} (it returned {other})"))),
        }
    }
}

/// A worker over a store, on connections of its own beside `pool_size`. `options` may be NULL. Give it handlers, then
/// sprongus_worker_run, sprongus_worker_run_until_idle or sprongus_worker_start. The store may be freed before it.
///
/// ```c
/// static int32_t greet(void *user_data, const sprongus_context *context) {
///     const char *name = sprongus_run_input(sprongus_context_run(context));
///     sprongus_context_output(context, name, strlen(name), NULL);
///     return SPRONGUS_DONE;
/// }
/// …
/// sprongus_worker *worker = NULL;
/// sprongus_worker_new(store, NULL, &worker, &error);
/// sprongus_worker_handle(worker, "greet", greet, NULL, NULL, &error);
/// sprongus_worker_run_until_idle(worker, SPRONGUS_NONE, &error);
/// sprongus_worker_free(worker);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_worker_new(
    store: *const sprongus_store,
    options: *const sprongus_worker_options,
    worker: *mut *mut sprongus_worker,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for structs and out-pointers.
        let (out, options) = unsafe { (args::place("worker", worker)?, read(options)?) };
        let store = handle::get::<StoreHandle>("store", store)?;
        let worker = store.store().worker(options)?;
        out.give(WorkerHandle { id: c_text(worker.worker_id()), worker })
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

unsafe fn read(options: *const sprongus_worker_options) -> Result<WorkerOptions> {
    // SAFETY: the caller's promises for text and structs.
    unsafe {
        let given = args::plain("options", options)?;
        let ours = WorkerOptions::default();
        Ok(WorkerOptions {
            worker_id: args::owned_opt("options.worker_id", given.worker_id)?,
            concurrency: if given.concurrency == 0 { ours.concurrency } else { given.concurrency as usize },
            lease: args::millis("options.lease_ms", given.lease_ms)?.unwrap_or(ours.lease),
            poll_interval: args::millis("options.poll_interval_ms", given.poll_interval_ms)?
                .unwrap_or(ours.poll_interval),
            projects: args::texts_opt("options.projects", given.projects, given.projects_count)?,
        })
    }
}

/// Its name, as runs and events carry it. Borrowed; NULL for no worker.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_worker_id(worker: *const sprongus_worker) -> *const c_char {
    door::peek(std::ptr::null(), || Some(handle::peek::<WorkerHandle>(worker)?.id.as_ptr()))
}

/// Works runs of that kind by that function, `user_data` being handed to it; "sync/*" is every kind that begins with "sync/",
/// where none fits better. `destroy`, which may be NULL, is called once with `user_data`, when the worker no longer needs it,
/// also where this fails. Errors: `invalid_argument`; `misuse` while the worker is at work.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_worker_handle(
    worker: *const sprongus_worker,
    kind: *const c_char,
    handler: sprongus_handler,
    user_data: *mut c_void,
    destroy: sprongus_destroy,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        let user_data = Destroy::new(destroy, user_data);
        // SAFETY: the caller's promise for text.
        let kind = unsafe { args::text("kind", kind) }?;
        let run = handler.ok_or_else(|| Error::invalid("handler is NULL"))?;
        let worker = handle::get::<WorkerHandle>("worker", worker)?;
        worker.worker.handle_with(kind, Arc::new(Foreign { run, user_data }))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Works the syncs that were enqueued (runs of the kinds "sync.aux/…") with the providers that this opened store knows. Errors:
/// `misuse` while the worker is at work.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_worker_serve_sync(
    worker: *const sprongus_worker,
    error: *mut *mut sprongus_error,
) -> i32 {
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, || handle::get::<WorkerHandle>("worker", worker)?.worker.serve_sync()) }
}

/// Works until sprongus_worker_stop is called from another thread; returns when all handlers have ended.
///
/// Errors: `misuse` where it is at work already or has no handler; what makes claiming hopeless: the store closed, a scope
/// missing. A database that is away for a while is no error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_worker_run(worker: *const sprongus_worker, error: *mut *mut sprongus_error) -> i32 {
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, || handle::get::<WorkerHandle>("worker", worker)?.worker.run()) }
}

/// Works until nothing of its kinds is running anywhere, due, or due within `patience_ms` (0: 5,000; SPRONGUS_NONE: no
/// patience). Errors: as sprongus_worker_run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_worker_run_until_idle(
    worker: *const sprongus_worker,
    patience_ms: i64,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        let patience = args::millis("patience_ms", patience_ms)?.unwrap_or(std::time::Duration::from_secs(5));
        handle::get::<WorkerHandle>("worker", worker)?.worker.run_until_idle(patience)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Works on threads of its own until sprongus_worker_stop. Errors: `misuse` where it is at work already or has no handler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_worker_start(worker: *const sprongus_worker, error: *mut *mut sprongus_error) -> i32 {
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, || handle::get::<WorkerHandle>("worker", worker)?.worker.start()) }
}

/// Claims no more and waits for the handlers to end, at most `timeout_ms`: 0 without end, SPRONGUS_NONE not at all.
///
/// `ended`, which may be NULL, says whether all have. Those that have not are let go: their leases run out, and others take
/// their runs. Not to be called by a handler, which would wait for itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_worker_stop(
    worker: *const sprongus_worker,
    timeout_ms: i64,
    ended: *mut bool,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: `ended` is NULL or the caller's to be written.
        let out = unsafe { Out::optional(ended, false) };
        let timeout = args::millis("timeout_ms", timeout_ms)?;
        out.set(handle::get::<WorkerHandle>("worker", worker)?.worker.stop(timeout));
        Ok(())
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// What it has done since it was made, and what it is doing, as JSON (claimed, succeeded, failed, …, wait and run latencies in
/// seconds). Cheap: no database is asked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_worker_metrics(
    worker: *const sprongus_worker,
    metrics: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for out-pointers.
        let out = unsafe { args::place("metrics", metrics) }?;
        give_json(out, &handle::get::<WorkerHandle>("worker", worker)?.worker.metrics())
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Frees a worker; one at work lets go of its runs without waiting. NULL and what is no worker are passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_worker_free(worker: *mut sprongus_worker) {
    door::quiet(|| handle::free::<WorkerHandle>(worker));
}
