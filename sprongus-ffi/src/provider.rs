//! `sprongus_provider`: a source of documents that a host writes.

use std::ffi::{CStr, CString, c_char, c_void};
use std::sync::Arc;

use serde_json::{Map, Value, json};
use sprongus::aux_store::providers::{Capabilities, Changes, Provider, Pulled};
use sprongus::json::parse_value;
use sprongus::{Error, Result};

use crate::args::{self, Plain};
use crate::error::{c_text, sprongus_error};
use crate::handle;
use crate::host::{Destroy, sprongus_destroy, taken};
use crate::store::{StoreHandle, sprongus_store};
use crate::{door, flags};

/// Its documents can be pulled: `next` is there.
pub const SPRONGUS_PROVIDER_READ: u32 = 1;
/// Changes can be pushed to it: `push` is there.
pub const SPRONGUS_PROVIDER_WRITE: u32 = 2;

/// Begins a pull or a push of a table; sets `*session`, which the other functions are given. `config` is the profile's, a JSON
/// object in which secrets are resolved: keep it nowhere.
pub type sprongus_provider_open = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        config: *const c_char,
        project: *const c_char,
        table: *const c_char,
        session: *mut *mut c_void,
        error: *mut *mut sprongus_error,
    ) -> i32,
>;

/// The next document: sets `*document` to a JSON object, which has to stay until the next call of this or of `close`, or leaves
/// it NULL at the end. It may carry `id` and `lastUpdated`.
pub type sprongus_provider_next = Option<
    unsafe extern "C" fn(session: *mut c_void, document: *mut *const c_char, error: *mut *mut sprongus_error) -> i32,
>;

/// Changes the source: `changes` is a JSON object of created and updated (documents with their `id`) and deleted (ids). Called
/// again with the same changes after a failure, it must do nothing twice.
pub type sprongus_provider_push =
    Option<unsafe extern "C" fn(session: *mut c_void, changes: *const c_char, error: *mut *mut sprongus_error) -> i32>;

/// Ends a pull or a push that was opened.
pub type sprongus_provider_close = Option<unsafe extern "C" fn(session: *mut c_void)>;

/// A kind of providers, by functions of the host's. Begin with `SPRONGUS_INIT(provider)`.
///
/// They return SPRONGUS_OK or fail with an error made by sprongus_error_new: SPRONGUS_ERR_UNAVAILABLE lets the sync be tried
/// again. They run on whatever thread syncs, several syncs at a time; no transaction of the library's is open meanwhile. They
/// must not throw.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sprongus_provider {
    /// `sizeof(sprongus_provider)`.
    pub struct_size: usize,
    /// SPRONGUS_PROVIDER_READ and SPRONGUS_PROVIDER_WRITE, joined by `|`.
    pub flags: u32,
    /// Handed to `open` and `destroy`.
    pub user_data: *mut c_void,
    /// Required.
    pub open: sprongus_provider_open,
    /// Required where it can be read.
    pub next: sprongus_provider_next,
    /// Required where it can be written.
    pub push: sprongus_provider_push,
    /// May be NULL.
    pub close: sprongus_provider_close,
    /// May be NULL.
    pub destroy: sprongus_destroy,
}

// SAFETY: `repr(C)`, begins with its size; integers, pointers, and functions for which zero is None.
unsafe impl Plain for sprongus_provider {}

/// The functions, checked, and what ends their data.
struct Functions {
    given: sprongus_provider,
    user_data: Destroy,
}

// SAFETY: the host is told that its functions run on whatever thread syncs, several at a time.
unsafe impl Send for Functions {}
// SAFETY: the same.
unsafe impl Sync for Functions {}

impl Functions {
    fn new(given: sprongus_provider) -> Result<Self> {
        let user_data = Destroy::new(given.destroy, given.user_data);
        let flags = flags::check(given.flags, SPRONGUS_PROVIDER_READ | SPRONGUS_PROVIDER_WRITE)?;
        let needed = [
            ("open", true, given.open.is_some()),
            ("next", flags & SPRONGUS_PROVIDER_READ != 0, given.next.is_some()),
            ("push", flags & SPRONGUS_PROVIDER_WRITE != 0, given.push.is_some()),
        ];
        match needed.into_iter().find(|(_, needed, there)| *needed && !there) {
            Some((name, ..)) => Err(missing(name)),
            None => Ok(Self { given, user_data }),
        }
    }
}

fn missing(name: &str) -> Error {
    Error::invalid(format!("provider.{name} is NULL"))
}

/// A provider of that kind with its config.
struct Foreign {
    functions: Arc<Functions>,
    config: CString,
}

/// A pull or a push under way.
struct Open {
    functions: Arc<Functions>,
    session: *mut c_void,
    ended: bool,
}

impl Foreign {
    fn open(&self, project: &str, table: &str) -> Result<Open> {
        let Functions { given, user_data } = &*self.functions;
        let (open, mut session) = (given.open.ok_or_else(|| missing("open"))?, std::ptr::null_mut());
        let (project, table) = (c_text(project), c_text(table));
        taken(|error| {
            // SAFETY: the host's own function; what it is given lives until it returns.
            unsafe {
                open(user_data.data(), self.config.as_ptr(), project.as_ptr(), table.as_ptr(), &raw mut session, error)
            }
        })?;
        Ok(Open { functions: self.functions.clone(), session, ended: false })
    }
}

impl Provider for Foreign {
    fn capabilities(&self) -> Capabilities {
        let has = |flag: u32| self.functions.given.flags & flag != 0;
        Capabilities { read: has(SPRONGUS_PROVIDER_READ), write: has(SPRONGUS_PROVIDER_WRITE) }
    }

    fn pull(&mut self, project: &str, table: &str) -> Result<Pulled<'_>> {
        Ok(Box::new(self.open(project, table)?))
    }

    fn push(&mut self, project: &str, table: &str, changes: &Changes) -> Result<()> {
        let push = self.functions.given.push.ok_or_else(|| missing("push"))?;
        let Changes { created, updated, deleted } = changes;
        let changes = c_text(&json!({ "created": created, "updated": updated, "deleted": deleted }).to_string());
        let open = self.open(project, table)?;
        // SAFETY: the host's own function; what it is given lives until it returns.
        taken(|error| unsafe { push(open.session, changes.as_ptr(), error) })
    }
}

impl Open {
    fn document(&self) -> Result<Option<Value>> {
        let next = self.functions.given.next.ok_or_else(|| missing("next"))?;
        let mut document = std::ptr::null();
        // SAFETY: the host's own function; the places it writes to live until it returns.
        taken(|error| unsafe { next(self.session, &raw mut document, error) })?;
        if document.is_null() {
            return Ok(None);
        }
        // SAFETY: the host's function promises a terminated text that stays until it is called again.
        parse_value(unsafe { CStr::from_ptr(document) }.to_bytes()).map(Some)
    }
}

impl Iterator for Open {
    type Item = Result<Value>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let document = self.document().transpose();
        // One that is no JSON is the row's fault; what the source fails with ends the pull.
        self.ended = match &document {
            None => true,
            Some(Err(error)) => error.code() != sprongus::ErrorCode::Validation,
            Some(Ok(_)) => false,
        };
        document
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(close) = self.functions.given.close {
            // SAFETY: the host's own function, with what its `open` gave.
            unsafe { close(self.session) };
        }
    }
}

/// Makes a kind of providers known to this opened store: profiles of that kind (sprongus_providers_put), and syncs by their names,
/// are worked by these functions.
///
/// `provider` is copied, and `provider->destroy` is called once, when the store is closed or the kind is registered anew, or at
/// once where this fails, unless `provider` cannot be read. Errors: `invalid_argument`; `permission_denied` on a scoped handle
/// without admin.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_providers_register(
    store: *const sprongus_store,
    kind: *const c_char,
    provider: *const sprongus_provider,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        if provider.is_null() {
            return Err(Error::invalid("provider is NULL"));
        }
        // SAFETY: the caller's promise for structs.
        let functions = Arc::new(Functions::new(unsafe { args::plain("provider", provider) }?)?);
        // SAFETY: the caller's promise for text.
        let kind = unsafe { args::text("kind", kind) }?;
        let store = handle::get::<StoreHandle>("store", store)?;
        store.store().providers().register(
            kind,
            Arc::new(move |config: &Map<String, Value>| {
                let config = c_text(&Value::Object(config.clone()).to_string());
                Ok(Box::new(Foreign { functions: functions.clone(), config }) as Box<dyn Provider>)
            }),
        )
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}
