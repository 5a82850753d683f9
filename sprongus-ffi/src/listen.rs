//! `sprongus_follow` and `sprongus_subscription`: events as they come.

use std::ffi::{c_char, c_void};
use std::sync::{Mutex, PoisonError};

use sprongus::events::{Follow, FollowEvents, Stop, SubscribeEvents, Subscription};
use sprongus::{Error, Event};

use crate::args;
use crate::buf::{Buf, sprongus_buf};
use crate::door;
use crate::error::{c_text, sprongus_error};
use crate::events::{read, sprongus_events_query};
use crate::handle::{self, Noun};
use crate::host::{Destroy, sprongus_destroy};
use crate::record::{give_json, json};
use crate::store::{StoreHandle, sprongus_store};

/// A reader of the feed that waits for what comes. Freed by sprongus_follow_free.
pub struct sprongus_follow {
    _opaque: [u8; 0],
}

struct FollowHandle {
    follow: Mutex<Follow>,
    stop: Stop,
}

impl Noun for FollowHandle {
    type C = sprongus_follow;
    const TAG: u8 = 17;
    const NAME: &'static str = "sprongus_follow";
}

/// Follows the feed from `query->after` (NULL: from now), whoever commits the events; `limit` of the query is not looked at.
/// `query` may be NULL. Errors: `invalid_argument`, `permission_denied`.
///
/// ```c
/// sprongus_follow *follow = NULL;
/// sprongus_buf *event = NULL;
/// sprongus_events_follow(store, NULL, &follow, &error);
/// while (sprongus_follow_next(follow, 0, &event, &error) == SPRONGUS_OK && event != NULL) {
///     puts(sprongus_buf_data(event));
///     sprongus_buf_free(event);
/// }
/// sprongus_follow_free(follow);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_events_follow(
    store: *const sprongus_store,
    query: *const sprongus_events_query,
    follow: *mut *mut sprongus_follow,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for structs and out-pointers.
        let (out, given) = unsafe { (args::place("follow", follow)?, read(query)?) };
        let store = handle::get::<StoreHandle>("store", store)?;
        let request = FollowEvents { after: given.after, types: given.types, project: given.project };
        let follow = store.store().events().follow(&request)?;
        out.give(FollowHandle { stop: follow.stop(), follow: Mutex::new(follow) })
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// The next event as a JSON object, waited for at most `timeout_ms`: 0 without end, SPRONGUS_NONE not at all. `*event` is NULL
/// where none came, or it was stopped. One thread at a time gets it; others wait their turn.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_follow_next(
    follow: *const sprongus_follow,
    timeout_ms: i64,
    event: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for out-pointers.
        let out = unsafe { args::place("event", event) }?;
        let timeout = args::millis("timeout_ms", timeout_ms)?;
        let this = handle::get::<FollowHandle>("follow", follow)?;
        let mut follow = this.follow.lock().unwrap_or_else(PoisonError::into_inner);
        let next = match timeout {
            Some(timeout) => follow.next_within(timeout)?,
            None => follow.next().transpose()?,
        };
        next.map_or(Ok(()), |event| give_json(out, &event))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// The position after the last event that was handed out: as `after`, another one goes on from there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_follow_cursor(
    follow: *const sprongus_follow,
    cursor: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for out-pointers.
        let out = unsafe { args::place("cursor", cursor) }?;
        let this = handle::get::<FollowHandle>("follow", follow)?;
        let cursor = this.follow.lock().unwrap_or_else(PoisonError::into_inner).cursor();
        out.give(Buf::text(&cursor))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Stops it, for good, from any thread: one that waits in sprongus_follow_next gets no event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_follow_stop(follow: *const sprongus_follow, error: *mut *mut sprongus_error) -> i32 {
    // SAFETY: `error` is the caller's to be written.
    unsafe {
        door::call(error, || {
            handle::get::<FollowHandle>("follow", follow)?.stop.stop();
            Ok(())
        })
    }
}

/// Stops and frees it. NULL and what is none are passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_follow_free(follow: *mut sprongus_follow) {
    door::quiet(|| {
        if let Some(this) = handle::take::<FollowHandle>(follow) {
            this.stop.stop();
        }
    });
}

/// Told of an event, a JSON object, which is borrowed until it returns. It must not throw.
pub type sprongus_on_event = Option<unsafe extern "C" fn(user_data: *mut c_void, event: *const c_char)>;

/// A function that is told of events. Freed by sprongus_subscription_free.
pub struct sprongus_subscription {
    _opaque: [u8; 0],
}

struct SubscriptionHandle(Subscription);

impl Noun for SubscriptionHandle {
    type C = sprongus_subscription;
    const TAG: u8 = 18;
    const NAME: &'static str = "sprongus_subscription";
}

/// A function of the host's, and what it is called with.
struct Told(unsafe extern "C" fn(*mut c_void, *const c_char), Destroy);

// SAFETY: the host is told that it is called from another thread, one call after another.
unsafe impl Send for Told {}

impl Told {
    fn tell(&self, event: &Event) {
        let Ok(event) = json(event) else { return };
        // SAFETY: the host's own function, with what it gave for it; the text lives until it returns.
        unsafe { (self.0)(self.1.data(), c_text(&event).as_ptr()) }
    }
}

/// Calls `on_event` with each event that is committed through this opened store from now on, by whichever of its handles and
/// workers: one after another, from a thread of the subscription's own. Of `query`, which may be NULL, types and project count.
///
/// What is rolled back is never told. A slow function holds nobody up; 10,000 events wait for it, later ones are counted by
/// sprongus_subscription_missed and not told: who must not miss any follows the feed. `destroy`, which may be NULL, is called
/// once with `user_data`, when it is no longer needed, also where this fails. Errors: `invalid_argument`, `permission_denied`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_events_subscribe(
    store: *const sprongus_store,
    query: *const sprongus_events_query,
    on_event: sprongus_on_event,
    user_data: *mut c_void,
    destroy: sprongus_destroy,
    subscription: *mut *mut sprongus_subscription,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        let user_data = Destroy::new(destroy, user_data);
        // SAFETY: the caller's promises for structs and out-pointers.
        let (out, given) = unsafe { (args::place("subscription", subscription)?, read(query)?) };
        let told = Told(on_event.ok_or_else(|| Error::invalid("on_event is NULL"))?, user_data);
        let store = handle::get::<StoreHandle>("store", store)?;
        let request = SubscribeEvents { types: given.types, project: given.project };
        let subscription = store.store().events().subscribe(&request, move |event| told.tell(event))?;
        out.give(SubscriptionHandle(subscription))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// How many events were not told because too many waited already; 0 for no subscription.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_subscription_missed(subscription: *const sprongus_subscription) -> u64 {
    door::peek(0, || Some(handle::peek::<SubscriptionHandle>(subscription)?.0.missed()))
}

/// Ends and frees a subscription. When this returns its function is not called any more; a call under way is waited for, except
/// by itself. NULL and what is none are passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_subscription_free(subscription: *mut sprongus_subscription) {
    door::quiet(|| {
        if let Some(this) = handle::take::<SubscriptionHandle>(subscription) {
            this.0.close();
        }
    });
}
