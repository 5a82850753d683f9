//! Leave to go on: asked for by a run, given or refused by whoever decides.

use std::ffi::{c_char, c_void};

use sprongus::runs::approvals::{
    Approval, Approvals, Decide, DecisionFilter, GATE, GetApproval, ListApprovals, RequestApproval,
};
use sprongus::{Error, Result};

use crate::approval::{sprongus_approval, sprongus_approval_list};
use crate::args::{self, Out, Plain};
use crate::error::sprongus_error;
use crate::record::{List, Record};
use crate::{door, target};

/// Which approvals to list; zero is the default of each, filters hold together. Begin with `SPRONGUS_INIT(query)`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sprongus_approvals_query {
    /// `sizeof(sprongus_approvals_query)`.
    pub struct_size: usize,
    /// Of that project.
    pub project: *const c_char,
    /// Of that run.
    pub run_id: *const c_char,
    /// Of that scope.
    pub scope: *const c_char,
    /// "approved", "denied" or "pending".
    pub decision: *const c_char,
    /// At most so many, up to 1,000; 50. SPRONGUS_NONE: none.
    pub limit: i64,
    /// sprongus_approval_list_next_cursor of the page before, with the same filters.
    pub cursor: *const c_char,
}

// SAFETY: `repr(C)`, begins with its size, integers and pointers alone.
unsafe impl Plain for sprongus_approvals_query {}

/// What goes with a request or a decision; zero is the default of each. Begin with `SPRONGUS_INIT(options)`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sprongus_approval_options {
    /// `sizeof(sprongus_approval_options)`.
    pub struct_size: usize,
    /// What leave is asked for: only of a decision, and of sprongus_approvals_get; "run", the gate before the queue.
    pub scope: *const c_char,
    /// The step that asks, where a run asks for a scope more than once.
    pub step: *const c_char,
    /// A word of who decides: only of a decision.
    pub note: *const c_char,
    /// A JSON object; the decision's keys win over the request's.
    pub metadata: *const c_char,
}

// SAFETY: `repr(C)`, begins with its size and pointers alone.
unsafe impl Plain for sprongus_approval_options {}

/// The same as the core takes them.
struct Given {
    scope: Option<String>,
    step: Option<String>,
    note: Option<String>,
    metadata: sprongus::Json,
}

/// # Safety
/// `options` is NULL or a readable struct of the size it says, its texts terminated.
unsafe fn given(options: *const sprongus_approval_options) -> Result<Given> {
    // SAFETY: the same promise.
    unsafe {
        let given = args::plain("options", options)?;
        let metadata = args::text_opt("options.metadata", given.metadata)?;
        Ok(Given {
            scope: args::owned_opt("options.scope", given.scope)?,
            step: args::owned_opt("options.step", given.step)?,
            note: args::owned_opt("options.note", given.note)?,
            metadata: metadata.map(sprongus::Json::parse).transpose()?.unwrap_or_default(),
        })
    }
}

fn one(
    store_or_tx: *const c_void,
    out: Out<*mut sprongus_approval>,
    ask: impl FnOnce(Approvals<'_>) -> Result<Approval>,
) -> Result<()> {
    out.give(Record::from(target::on(store_or_tx, |on| ask(on.approvals()))?))
}

/// Asks for leave in the middle of a run. Where it was decided before, `*approval` says how and nothing changes; else it is
/// pending (sprongus_approval_decision is NULL): the run now waits without a lease, so make no report and leave it alone.
///
/// Granted, the run is queued again and its steps resume; refused, it ends denied. `options` (step, metadata) may be NULL.
/// Errors: `lease_lost`, `invalid_state` where it was never claimed or not started, `not_found`, `invalid_argument`.
///
/// ```c
/// sprongus_approval *leave = NULL;
/// sprongus_approvals_request(store, id, lease, "deploy.production", "deploy build 17", NULL, &leave, &error);
/// if (sprongus_approval_decision(leave) != NULL)
///     deploy();
/// sprongus_approval_free(leave);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_approvals_request(
    store_or_tx: *const c_void,
    run_id: *const c_char,
    lease: i64,
    scope: *const c_char,
    intent_summary: *const c_char,
    options: *const sprongus_approval_options,
    approval: *mut *mut sprongus_approval,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, structs and out-pointers.
        let (out, request) = unsafe {
            let out = args::place("approval", approval)?;
            (out, requested(args::text("run_id", run_id)?, lease, scope, intent_summary, options)?)
        };
        one(store_or_tx, out, |approvals| approvals.request(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// # Safety
/// The texts are terminated; `options` is NULL or a readable struct of the size it says.
pub(crate) unsafe fn requested(
    id: &str,
    lease: i64,
    scope: *const c_char,
    intent_summary: *const c_char,
    options: *const sprongus_approval_options,
) -> Result<RequestApproval> {
    // SAFETY: the same promise.
    let (new, given) = unsafe {
        let (scope, intent) = (args::text("scope", scope)?, args::text("intent_summary", intent_summary)?);
        (RequestApproval::new(id, lease, scope, intent), given(options)?)
    };
    if given.scope.is_some() || given.note.is_some() {
        return Err(Error::invalid("options.scope and options.note are for decisions"));
    }
    Ok(RequestApproval { step: given.step, metadata: given.metadata, ..new })
}

unsafe fn decide(
    run_id: *const c_char,
    by: *const c_char,
    options: *const sprongus_approval_options,
) -> Result<Decide> {
    // SAFETY: the caller's promises for text and structs.
    let (id, by, given) = unsafe { (args::text("run_id", run_id)?, args::text("by", by)?, given(options)?) };
    let new = Decide::new(id, by);
    let scope = given.scope.unwrap_or_else(|| GATE.to_owned());
    Ok(Decide { scope, step: given.step, note: given.note, metadata: given.metadata, ..new })
}

/// Gives leave: the run is queued. `options` may be NULL: the gate before the queue. `approval` may be NULL.
///
/// The same again is no change. Errors: `not_found` where nobody asked; `invalid_state` where it was denied, or the run does
/// not wait for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_approvals_approve(
    store_or_tx: *const c_void,
    run_id: *const c_char,
    by: *const c_char,
    options: *const sprongus_approval_options,
    approval: *mut *mut sprongus_approval,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, structs and out-pointers.
        let (out, request) = unsafe { (args::place_opt(approval), decide(run_id, by, options)?) };
        one(store_or_tx, out, |approvals| approvals.approve(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Refuses leave: the run ends denied. As sprongus_approvals_approve otherwise.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_approvals_deny(
    store_or_tx: *const c_void,
    run_id: *const c_char,
    by: *const c_char,
    options: *const sprongus_approval_options,
    approval: *mut *mut sprongus_approval,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, structs and out-pointers.
        let (out, request) = unsafe { (args::place_opt(approval), decide(run_id, by, options)?) };
        one(store_or_tx, out, |approvals| approvals.deny(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// One approval; `scope` NULL is the gate before the queue, `step` NULL none. Errors: `not_found`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_approvals_get(
    store_or_tx: *const c_void,
    run_id: *const c_char,
    scope: *const c_char,
    step: *const c_char,
    approval: *mut *mut sprongus_approval,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, id, scope, step) = unsafe {
            let (out, id) = (args::place("approval", approval)?, args::text("run_id", run_id)?);
            (out, id, args::owned_opt("scope", scope)?, args::owned_opt("step", step)?)
        };
        let new = GetApproval::new(id);
        let request = GetApproval { scope: scope.unwrap_or_else(|| GATE.to_owned()), step, ..new };
        one(store_or_tx, out, |approvals| approvals.get(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Approvals by filters, a page at a time, the last asked for first. `query` may be NULL. Errors: `invalid_argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_approvals_list(
    store_or_tx: *const c_void,
    query: *const sprongus_approvals_query,
    approvals: *mut *mut sprongus_approval_list,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for structs and out-pointers.
        let (out, request) = unsafe { (args::place("approvals", approvals)?, list(query)?) };
        let page = target::on(store_or_tx, |on| on.approvals().list(&request))?;
        out.give(List::page(&page)?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

unsafe fn list(query: *const sprongus_approvals_query) -> Result<ListApprovals> {
    // SAFETY: the caller's promises for text and structs.
    unsafe {
        let given = args::plain("query", query)?;
        let decision = match args::text_opt("query.decision", given.decision)? {
            None => None,
            Some("approved") => Some(DecisionFilter::Approved),
            Some("denied") => Some(DecisionFilter::Denied),
            Some("pending") => Some(DecisionFilter::Pending),
            Some(_) => return Err(Error::invalid("query.decision is \"approved\", \"denied\" or \"pending\"")),
        };
        Ok(ListApprovals {
            project: args::owned_opt("query.project", given.project)?,
            run_id: args::owned_opt("query.run_id", given.run_id)?,
            scope: args::owned_opt("query.scope", given.scope)?,
            decision,
            limit: args::limit(given.limit, sprongus::page::DEFAULT_LIMIT),
            cursor: args::owned_opt("query.cursor", given.cursor)?,
        })
    }
}
