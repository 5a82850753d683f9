//! Messages from outside, each processed once.

use std::ffi::{c_char, c_void};

use sprongus::inbox::Accept;

use crate::args::{self, Out};
use crate::error::sprongus_error;
use crate::record::Record;
use crate::run::sprongus_run;
use crate::{door, target};

/// Takes a message once per project, channel and id.
///
/// `enqueue` is a JSON object of `length` bytes as `runs.enqueue` of sprongus_call takes it, for the run that works the
/// message, in the same commit; NULL of length 0: none. `project` may be NULL, as may `run` and `first`: the run of the first
/// time, NULL where it had none, and whether this was the first time. A repeat is answered with the first, whatever it brings.
///
/// Errors: `invalid_argument`, and those of sprongus_runs_enqueue.
///
/// ```c
/// bool first = false;
/// const char *work = "{\"kind\": \"mail.answer\", \"input\": {\"text\": \"hello\"}}";
/// sprongus_inbox_accept(store, "mail", "<1@b.c>", NULL, work, strlen(work), NULL, &first, &error);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_inbox_accept(
    store_or_tx: *const c_void,
    channel_id: *const c_char,
    provider_message_id: *const c_char,
    project: *const c_char,
    enqueue: *const c_char,
    length: usize,
    run: *mut *mut sprongus_run,
    first: *mut bool,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, bytes and out-pointers.
        let (run, first, request, enqueue) = unsafe {
            let (run, first) = (args::place_opt(run), Out::optional(first, false));
            let channel = args::text("channel_id", channel_id)?;
            let new = Accept::new(channel, args::text("provider_message_id", provider_message_id)?);
            let request = Accept { project: args::owned_opt("project", project)?, ..new };
            (run, first, request, args::bytes("enqueue", enqueue, length)?)
        };
        let enqueue = if length == 0 { None } else { Some(sprongus::json::decode(enqueue)?) };
        let accepted = target::on(store_or_tx, |on| on.inbox().accept(&Accept { enqueue, ..request }))?;
        if let Some(found) = accepted.run {
            run.give(Record::from(found))?;
        }
        first.set(accepted.first);
        Ok(())
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}
