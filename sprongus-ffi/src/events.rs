//! The feed of all events.

use std::ffi::{c_char, c_void};

use sprongus::Result;
use sprongus::events::ReadEvents;

use crate::args::{self, Plain};
use crate::buf::{Buf, sprongus_buf};
use crate::error::sprongus_error;
use crate::record::give_json;
use crate::{door, target};

/// Which events to read; zero is the default of each. Begin with `SPRONGUS_INIT(query)`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sprongus_events_query {
    /// `sizeof(sprongus_events_query)`.
    pub struct_size: usize,
    /// The `cursor` of the batch before; NULL: from the beginning.
    pub after: *const c_char,
    /// Of `types_count` types; "aux.*" is all that begin with "aux.". NULL: all.
    pub types: *const *const c_char,
    /// How many types.
    pub types_count: usize,
    /// Of that project.
    pub project: *const c_char,
    /// At most so many, up to 1,000; 100. SPRONGUS_NONE: none.
    pub limit: i64,
}

// SAFETY: `repr(C)`, begins with its size, integers and pointers alone.
unsafe impl Plain for sprongus_events_query {}

/// The events after a position, oldest first, as a JSON object: `items`, and `cursor`, always given, to be passed as the next
/// `after`. `query` may be NULL. Errors: `invalid_argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_events_read(
    store_or_tx: *const c_void,
    query: *const sprongus_events_query,
    events: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for structs and out-pointers.
        let (out, request) = unsafe { (args::place("events", events)?, read(query)?) };
        give_json(out, &target::on(store_or_tx, |on| on.events().read(&request))?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// # Safety
/// `query` is NULL or a readable struct of the size it says, its texts terminated.
pub(crate) unsafe fn read(query: *const sprongus_events_query) -> Result<ReadEvents> {
    // SAFETY: the caller's promises for text and structs.
    unsafe {
        let given = args::plain("query", query)?;
        Ok(ReadEvents {
            after: args::owned_opt("query.after", given.after)?,
            types: args::texts_opt("query.types", given.types, given.types_count)?,
            project: args::owned_opt("query.project", given.project)?,
            limit: args::limit(given.limit, ReadEvents::default().limit),
        })
    }
}

/// The position after the last event there is: what sprongus_events_read is given as `after` to see only what is new.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_events_position(
    store_or_tx: *const c_void,
    cursor: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for out-pointers.
        let out = unsafe { args::place("cursor", cursor) }?;
        out.give(Buf::text(&target::on(store_or_tx, |on| on.events().position())?))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}
