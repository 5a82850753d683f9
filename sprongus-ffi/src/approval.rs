//! `sprongus_approval` and `sprongus_approval_list`: records of approvals.

use std::borrow::Cow;
use std::ffi::c_char;

use sprongus::runs::approvals::{Approval, Decision};

use crate::record::{self, List, Record, Shown, json, text};
use crate::{door, handle};

/// Leave asked for, and what was decided, as it was when the call returned. Freed by sprongus_approval_free, or with the
/// list it came from.
pub struct sprongus_approval {
    _opaque: [u8; 0],
}

/// Approvals. Freed by sprongus_approval_list_free, and its approvals with it.
pub struct sprongus_approval_list {
    _opaque: [u8; 0],
}

impl Shown for Approval {
    type One = sprongus_approval;
    type Many = sprongus_approval_list;
    const TAGS: [u8; 2] = [13, 14];
    const NAMES: [&'static str; 2] = ["sprongus_approval", "sprongus_approval_list"];
}

fn borrowed(text: &Option<String>) -> Option<Cow<'_, str>> {
    text.as_deref().map(Cow::Borrowed)
}

/// Its id, a ULID. Borrowed; NULL for no approval.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_approval_id(approval: *const sprongus_approval) -> *const c_char {
    text::<Approval>(approval, "id", |approval| Some(Cow::Borrowed(&approval.id)))
}

/// The run. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_approval_run_id(approval: *const sprongus_approval) -> *const c_char {
    text::<Approval>(approval, "run_id", |approval| Some(Cow::Borrowed(&approval.run_id)))
}

/// What leave is asked for; "run" is the gate before the queue. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_approval_scope(approval: *const sprongus_approval) -> *const c_char {
    text::<Approval>(approval, "scope", |approval| Some(Cow::Borrowed(&approval.scope)))
}

/// The step that asked; NULL where none was named. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_approval_step(approval: *const sprongus_approval) -> *const c_char {
    text::<Approval>(approval, "step", |approval| borrowed(&approval.step))
}

/// What the run is about to do; NULL where nothing was said. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_approval_intent_summary(approval: *const sprongus_approval) -> *const c_char {
    text::<Approval>(approval, "intent_summary", |approval| borrowed(&approval.intent_summary))
}

/// "approved" or "denied"; NULL while it is pending. Never freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_approval_decision(approval: *const sprongus_approval) -> *const c_char {
    text::<Approval>(approval, "decision", |approval| {
        approval.decision.map(|decision| match decision {
            Decision::Approved => Cow::Borrowed("approved"),
            Decision::Denied => Cow::Borrowed("denied"),
        })
    })
}

/// Who decided; NULL while it is pending. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_approval_decided_by(approval: *const sprongus_approval) -> *const c_char {
    text::<Approval>(approval, "decided_by", |approval| borrowed(&approval.decided_by))
}

/// When it was decided; NULL while it is pending. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_approval_decided_at(approval: *const sprongus_approval) -> *const c_char {
    text::<Approval>(approval, "decided_at", |approval| approval.decided_at.map(|at| Cow::Owned(at.to_string())))
}

/// A word of who decided; NULL where there is none. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_approval_note(approval: *const sprongus_approval) -> *const c_char {
    text::<Approval>(approval, "note", |approval| borrowed(&approval.note))
}

/// The request's metadata and the decision's, merged, as JSON. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_approval_metadata(approval: *const sprongus_approval) -> *const c_char {
    text::<Approval>(approval, "metadata", |approval| Some(Cow::Borrowed(approval.metadata.as_str())))
}

/// All of it as JSON. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_approval_to_json(approval: *const sprongus_approval) -> *const c_char {
    text::<Approval>(approval, "json", |approval| json(approval).ok().map(Cow::Owned))
}

/// Frees an approval. NULL, what is no approval, and an approval of a list are passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_approval_free(approval: *mut sprongus_approval) {
    door::quiet(|| handle::free::<Record<Approval>>(approval));
}

/// How many approvals there are; 0 for no list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_approval_list_count(list: *const sprongus_approval_list) -> usize {
    record::count::<Approval>(list)
}

/// An approval, counted from 0. Borrowed; NULL where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_approval_list_at(
    list: *const sprongus_approval_list,
    index: usize,
) -> *const sprongus_approval {
    record::at::<Approval>(list, index)
}

/// What to give as `cursor` for the next page; NULL on the last. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_approval_list_next_cursor(list: *const sprongus_approval_list) -> *const c_char {
    record::next_cursor::<Approval>(list)
}

/// All of it as JSON: an object of items and nextCursor. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_approval_list_to_json(list: *const sprongus_approval_list) -> *const c_char {
    record::list_json::<Approval>(list)
}

/// Frees approvals. NULL and what is no list are passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_approval_list_free(list: *mut sprongus_approval_list) {
    door::quiet(|| handle::free::<List<Approval>>(list));
}
