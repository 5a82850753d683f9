//! `sprongus_context`: a run in a handler's hands.

use std::ffi::c_char;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sprongus::runs::approvals::RequestApproval;
use sprongus::worker::{Context, Outcome};
use sprongus::{Error, Json, Result, Run};

use crate::approval::sprongus_approval;
use crate::approvals::{self, sprongus_approval_options};
use crate::artifact::sprongus_artifact;
use crate::artifacts::{self, sprongus_artifact_options};
use crate::buf::{Buf, sprongus_buf};
use crate::error::sprongus_error;
use crate::handle::{self, Noun};
use crate::record::Record;
use crate::run::sprongus_run;
use crate::store::{StoreHandle, sprongus_store};
use crate::tx::{Inside, TxHandle, sprongus_tx};
use crate::{args, door};

/// A run in a handler's hands, and its ways to the store. Valid until the handler returns; never freed by the caller.
pub struct sprongus_context {
    _opaque: [u8; 0],
}

pub(crate) struct ContextHandle {
    context: Context,
    /// Handles of its run and its store, which end with it.
    lent: [usize; 2],
    said: Mutex<Said>,
}

/// What a handler said before it returned.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) outcome: Outcome,
    pub(crate) message: Option<String>,
    pub(crate) delay: Duration,
    pub(crate) awaiting: bool,
}

impl Noun for ContextHandle {
    type C = sprongus_context;
    const TAG: u8 = 15;
    const NAME: &'static str = "sprongus_context";
}

impl ContextHandle {
    pub(crate) fn new(context: Context) -> Result<Self> {
        let run = handle::lend([Record::<Run>::from(context.run().clone())])?;
        let store =
            handle::lend([StoreHandle::new(context.store().clone())]).inspect_err(|_| handle::take_back(&run))?;
        Ok(Self { context, lent: [run[0], store[0]], said: Mutex::default() })
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was said; nothing is left.
    pub(crate) fn take_said(&self) -> Said {
        std::mem::take(&mut *self.said())
    }
}

impl Drop for ContextHandle {
    fn drop(&mut self) {
        handle::take_back(&self.lent);
    }
}

/// The run as it was claimed. Borrowed; NULL for no context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_context_run(context: *const sprongus_context) -> *const sprongus_run {
    door::peek(std::ptr::null(), || Some(std::ptr::without_provenance(handle::peek::<ContextHandle>(context)?.lent[0])))
}

/// The store, for whatever the work needs. Borrowed; NULL for no context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_context_store(context: *const sprongus_context) -> *const sprongus_store {
    door::peek(std::ptr::null(), || Some(std::ptr::without_provenance(handle::peek::<ContextHandle>(context)?.lent[1])))
}

/// Whether the run is no longer wanted: canceled, timed out, its lease lost, or the worker gone without waiting. Then end
/// soon; what the handler returns will not count. True for no context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_context_canceled(context: *const sprongus_context) -> bool {
    door::peek(true, || Some(handle::peek::<ContextHandle>(context)?.context.canceled()))
}

/// Tells how far the work is, where `progress` (JSON of `length` bytes) is not NULL, and extends the lease; the worker
/// extends it by itself as well. Errors: `lease_lost` where the run is no longer this handler's, canceled included.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_context_heartbeat(
    context: *const sprongus_context,
    progress: *const c_char,
    length: usize,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for bytes.
        let progress = unsafe { args::json_opt("progress", progress, length) }?;
        handle::get::<ContextHandle>("context", context)?.context.beat(progress)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// What came out of the run, JSON of `length` bytes, kept as its output where the handler returns SPRONGUS_DONE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_context_output(
    context: *const sprongus_context,
    output: *const c_char,
    length: usize,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for bytes.
        let output: Json = unsafe { args::json("output", output, length) }?;
        handle::get::<ContextHandle>("context", context)?.said().outcome = Outcome::Output(output);
        Ok(())
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Where what came out of the run is kept, instead of an output.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_context_output_ref(
    context: *const sprongus_context,
    output_ref: *const c_char,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for text.
        let output_ref = unsafe { args::text("output_ref", output_ref) }?.to_owned();
        handle::get::<ContextHandle>("context", context)?.said().outcome = Outcome::Ref(output_ref);
        Ok(())
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// The secret that a `{"$secret": "NAME"}` of the input names, from the store's resolver or the environment, now. `secret` gets
/// it as a buffer of the caller's own, to be freed by `sprongus_buf_free`, which leaves its bytes where they were: whoever wants
/// them gone overwrites their copies.
///
/// From then on `[secret]` stands in its place, if it has four characters or more, in what the context is told: outputs, failures,
/// progress, approvals. What is written through the store is the host's own, results of steps included. Errors: `not_found`,
/// `unavailable`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_context_secret(
    context: *const sprongus_context,
    name: *const c_char,
    secret: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, name) = unsafe { (args::place("secret", secret)?, args::text("name", name)?) };
        let reference = serde_json::json!({ "$secret": name });
        out.give(Buf::text(&handle::get::<ContextHandle>("context", context)?.context.secret(&reference)?))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Keeps a content of `length` bytes as the next version of its kind and key, in the run's project and made by it, while the
/// run is still this handler's. `options` as of sprongus_artifacts_put; project and run in it are not looked at. `artifact` may
/// be NULL. Errors: as sprongus_artifacts_put; `lease_lost`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_context_artifact(
    context: *const sprongus_context,
    kind: *const c_char,
    key: *const c_char,
    content: *const c_char,
    length: usize,
    options: *const sprongus_artifact_options,
    artifact: *mut *mut sprongus_artifact,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, bytes, structs and out-pointers.
        let (out, put) = unsafe { (args::place_opt(artifact), artifacts::asked(kind, key, content, length, options)?) };
        artifacts::give(out, handle::get::<ContextHandle>("context", context)?.context.artifact(&put)?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// What went wrong, kept as the run's error where the handler returns SPRONGUS_RETRY or SPRONGUS_FATAL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_context_failure(
    context: *const sprongus_context,
    message: *const c_char,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for text.
        let message = unsafe { args::text("message", message) }?.to_owned();
        handle::get::<ContextHandle>("context", context)?.said().message = Some(message);
        Ok(())
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// When the run is due again where the handler returns SPRONGUS_SNOOZED; 0 and SPRONGUS_NONE: at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_context_snooze(
    context: *const sprongus_context,
    delay_ms: i64,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        let delay = args::millis("delay_ms", delay_ms)?.unwrap_or_default();
        handle::get::<ContextHandle>("context", context)?.said().delay = delay;
        Ok(())
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Asks for leave, as sprongus_approvals_request. Where it is pending (sprongus_approval_decision of it is NULL) the run no
/// longer is this handler's: return SPRONGUS_AWAITING. Once leave is given the run comes back, and this says so.
///
/// ```c
/// sprongus_approval *leave = NULL;
/// if (sprongus_context_approval(context, "repo.push", "push 3 commits", NULL, &leave, NULL) != SPRONGUS_OK)
///     return SPRONGUS_RETRY;
/// bool decided = sprongus_approval_decision(leave) != NULL;
/// sprongus_approval_free(leave);
/// if (!decided)
///     return SPRONGUS_AWAITING;
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_context_approval(
    context: *const sprongus_context,
    scope: *const c_char,
    intent_summary: *const c_char,
    options: *const sprongus_approval_options,
    approval: *mut *mut sprongus_approval,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        let this = handle::get::<ContextHandle>("context", context)?;
        let run = this.context.run();
        // SAFETY: the caller's promises for text, structs and out-pointers.
        let (out, request): (_, RequestApproval) = unsafe {
            let out = args::place("approval", approval)?;
            (out, approvals::requested(&run.id, run.lease, scope, intent_summary, options)?)
        };
        let asked = this.context.store().approvals().request(&request)?;
        this.said().awaiting = asked.decision.is_none();
        out.give(Record::from(asked))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Opens a transaction that commits only while the run is still this handler's: end it by sprongus_context_commit, or by
/// sprongus_tx_rollback; free it in any case.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_context_begin(
    context: *const sprongus_context,
    tx: *mut *mut sprongus_tx,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for out-pointers.
        let tx = unsafe { args::place("tx", tx) }?;
        let this = handle::get::<ContextHandle>("context", context)?;
        tx.give(TxHandle::new(this.context.begin()?, Inside::default()))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Commits a transaction, and extends the lease with it. It has ended then, whatever the answer; free it.
///
/// Errors: as sprongus_tx_commit; `lease_lost` where the run was canceled or taken: nothing was written then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_context_commit(
    context: *const sprongus_context,
    tx: *mut sprongus_tx,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        let this = handle::get::<ContextHandle>("context", context)?;
        handle::get::<TxHandle>("tx", tx)?.end(|tx| this.context.commit(tx))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// A handler's context that could not be made.
pub(crate) fn refused(error: &Error) -> String {
    format!("the handler could not be called: {error}")
}
