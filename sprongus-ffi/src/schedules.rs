//! Runs enqueued again and again.

use std::ffi::{c_char, c_void};

use sprongus::runs::schedules::{NextTimes, Overlap, PutSchedule, Schedule, ScheduleName, Schedules, Tick};
use sprongus::{Json, Result};

use crate::args::{self, Out, Plain};
use crate::buf::sprongus_buf;
use crate::error::sprongus_error;
use crate::record::give_json;
use crate::{door, target};

/// When and how a schedule's runs are enqueued: `cron` or `every_ms`; zero is the default of the others. Begin with
/// `SPRONGUS_INIT(options)`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sprongus_schedule_options {
    /// `sizeof(sprongus_schedule_options)`.
    pub struct_size: usize,
    /// A cron expression: five fields, or six with seconds first.
    pub cron: *const c_char,
    /// The time between slots.
    pub every_ms: i64,
    /// The IANA time zone that `cron` is read in; "UTC".
    pub tz: *const c_char,
    /// The project of its runs.
    pub project: *const c_char,
    /// Not 0: a slot enqueues its run though the one before has not ended; else it is left out then.
    pub queue_overlap: i32,
    /// How late a missed slot is still made up for; not at all.
    pub catch_up_ms: i64,
}

// SAFETY: `repr(C)`, begins with its size, integers and pointers alone.
unsafe impl Plain for sprongus_schedule_options {}

/// Makes a schedule, or changes the one of that name: runs of `kind` with `input` (JSON of `length` bytes; NULL of length 0 is
/// null). `schedule`, which may be NULL, gets it as JSON.
///
/// Any worker, and any host that claims, enqueues the runs of slots that have come: one run per slot however many do.
/// Errors: `invalid_argument` (neither or both of `cron` and `every_ms`, no such time zone, …), `validation`, `too_large`.
///
/// ```c
/// sprongus_schedule_options options;
/// SPRONGUS_INIT(options);
/// options.cron = "30 6 * * 1-5";
/// options.tz = "Europe/Berlin";
/// sprongus_schedules_put(store, "morning-report", "report.send", NULL, 0, &options, NULL, &error);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_schedules_put(
    store_or_tx: *const c_void,
    name: *const c_char,
    kind: *const c_char,
    input: *const c_char,
    length: usize,
    options: *const sprongus_schedule_options,
    schedule: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, bytes, structs and out-pointers.
        let (out, request) = unsafe {
            let out = args::place_opt(schedule);
            let new = PutSchedule::new(args::text("name", name)?, args::text("kind", kind)?);
            let input = args::json_opt("input", input, length)?.unwrap_or_default();
            (out, put(new, input, options)?)
        };
        one(store_or_tx, out, |schedules| schedules.put(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

unsafe fn put(new: PutSchedule, input: Json, options: *const sprongus_schedule_options) -> Result<PutSchedule> {
    // SAFETY: the caller's promises for text and structs.
    unsafe {
        let given = args::plain("options", options)?;
        Ok(PutSchedule {
            input,
            cron: args::owned_opt("options.cron", given.cron)?,
            every: args::millis("options.every_ms", given.every_ms)?,
            tz: args::owned_opt("options.tz", given.tz)?.unwrap_or_else(|| new.tz.clone()),
            project: args::owned_opt("options.project", given.project)?,
            overlap: if given.queue_overlap != 0 { Overlap::Queue } else { Overlap::Skip },
            catch_up: args::millis("options.catch_up_ms", given.catch_up_ms)?.unwrap_or_default(),
            ..new
        })
    }
}

fn one(
    store_or_tx: *const c_void,
    out: Out<*mut sprongus_buf>,
    ask: impl FnOnce(Schedules<'_>) -> Result<Schedule>,
) -> Result<()> {
    give_json(out, &target::on(store_or_tx, |on| ask(on.schedules()))?)
}

unsafe fn named(name: *const c_char, project: *const c_char) -> Result<ScheduleName> {
    // SAFETY: the caller's promises for text.
    unsafe {
        let new = ScheduleName::new(args::text("name", name)?);
        Ok(ScheduleName { project: args::owned_opt("project", project)?, ..new })
    }
}

/// One schedule as JSON. `project` may be NULL: the only one of that name. Errors: `not_found`; `conflict` where several
/// projects have one of that name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_schedules_get(
    store_or_tx: *const c_void,
    name: *const c_char,
    project: *const c_char,
    schedule: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, request) = unsafe { (args::place("schedule", schedule)?, named(name, project)?) };
        one(store_or_tx, out, |schedules| schedules.get(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// All schedules that the handle sees, by name, as a JSON array.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_schedules_list(
    store_or_tx: *const c_void,
    schedules: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for out-pointers.
        let out = unsafe { args::place("schedules", schedules) }?;
        give_json(out, &target::on(store_or_tx, |on| on.schedules().list())?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Holds a schedule back; once more is no change. `project` and `schedule` may be NULL. Errors: as sprongus_schedules_get.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_schedules_pause(
    store_or_tx: *const c_void,
    name: *const c_char,
    project: *const c_char,
    schedule: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, request) = unsafe { (args::place_opt(schedule), named(name, project)?) };
        one(store_or_tx, out, |schedules| schedules.pause(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Lets a schedule go on from now; once more is no change. `project` and `schedule` may be NULL. Errors: as
/// sprongus_schedules_get.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_schedules_resume(
    store_or_tx: *const c_void,
    name: *const c_char,
    project: *const c_char,
    schedule: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, request) = unsafe { (args::place_opt(schedule), named(name, project)?) };
        one(store_or_tx, out, |schedules| schedules.resume(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Removes a schedule; its runs stay. `project` may be NULL. Errors: as sprongus_schedules_get.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_schedules_delete(
    store_or_tx: *const c_void,
    name: *const c_char,
    project: *const c_char,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text.
        let request = unsafe { named(name, project) }?;
        target::on(store_or_tx, |on| on.schedules().delete(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// The next slots of a schedule, a JSON array of times; `limit` is how many (up to 1,000; 0: 10). `project` may be NULL.
/// Errors: as sprongus_schedules_get.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_schedules_next_times(
    store_or_tx: *const c_void,
    name: *const c_char,
    project: *const c_char,
    limit: i64,
    times: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, of) = unsafe { (args::place("times", times)?, named(name, project)?) };
        let request = NextTimes { name: of.name, project: of.project, limit: args::limit(limit, 10) };
        give_json(out, &target::on(store_or_tx, |on| on.schedules().next_times(&request))?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Enqueues the runs of slots that have come, at most `limit` (up to 1,000; 0: 100); claims do the same as they go.
/// `enqueued`, which may be NULL, is their number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_schedules_tick(
    store_or_tx: *const c_void,
    limit: i64,
    enqueued: *mut i64,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: `enqueued` is NULL or the caller's to be written.
        let out = unsafe { Out::optional(enqueued, 0) };
        let request = Tick { limit: args::limit(limit, Tick::default().limit) };
        out.set(target::on(store_or_tx, |on| on.schedules().tick(&request))?);
        Ok(())
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}
