//! `sprongus_options`.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use sprongus::secrets::Resolver;
use sprongus::{Durability, Error, ErrorCode, Options, Result};

use crate::args::{self, Plain};
use crate::error::c_text;
use crate::flags;

/// A duration of no time at all, where 0 would be the default.
pub const SPRONGUS_NONE: i64 = -1;

/// A commit survives a power cut (SQLite: `synchronous=FULL`). The default.
pub const SPRONGUS_DURABILITY_FULL: i32 = 0;
/// A power cut may take the last commits, a crash of the process does not (SQLite: `synchronous=NORMAL`).
pub const SPRONGUS_DURABILITY_NORMAL: i32 = 1;

/// Never write: writes are `permission_denied`.
pub const SPRONGUS_READ_ONLY: u32 = 1;
/// Do not bring the schema up to date on opening: `schema_version` where it is not.
pub const SPRONGUS_NO_MIGRATE: u32 = 2;
/// Keep no prepared statements: for PostgreSQL poolers in transaction mode.
pub const SPRONGUS_NO_STATEMENT_CACHE: u32 = 4;
/// Open a SQLite file on a network or VM-shared file system all the same.
pub const SPRONGUS_ALLOW_NETWORK_FS: u32 = 8;
/// Take what looks like a credential as any other text, where it would be `secret_detected`: in runs' inputs, documents, configs
/// and metadata.
pub const SPRONGUS_NO_SECRETS_CHECK: u32 = 16;
/// PostgreSQL: scoped handles tell the server whose they are, so that its row-level security shows them nothing else;
/// `unsupported` where there is none for this role (sprongus_store_enable_row_security).
pub const SPRONGUS_ROW_SECURITY: u32 = 32;

const FLAGS: u32 = SPRONGUS_READ_ONLY
    | SPRONGUS_NO_MIGRATE
    | SPRONGUS_NO_STATEMENT_CACHE
    | SPRONGUS_ALLOW_NETWORK_FS
    | SPRONGUS_NO_SECRETS_CHECK
    | SPRONGUS_ROW_SECURITY;

/// Settings of a store; zero is the default of each. Begin with `SPRONGUS_INIT(options)`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sprongus_options {
    /// `sizeof(sprongus_options)`.
    pub struct_size: usize,
    /// SPRONGUS_READ_ONLY and the like, joined by `|`.
    pub flags: u32,
    /// SPRONGUS_DURABILITY_….
    pub durability: i32,
    /// Who acts, in events and history; NULL: the user of the operating system.
    pub actor: *const c_char,
    /// The PostgreSQL schema that holds the tables; NULL: the connection's own.
    pub schema: *const c_char,
    /// The share of `call_timeout_ms` that may go into waiting for SQLite's lock; 5,000.
    pub busy_timeout_ms: i64,
    /// A call's deadline for waiting: lock, pool, connect, a silent network; 30,000. Never bounds the work of bulk calls.
    pub call_timeout_ms: i64,
    /// The first delay after a failed attempt, doubled with each, with full jitter; 1,000.
    pub backoff_base_ms: i64,
    /// The longest delay after a failed attempt; 300,000.
    pub backoff_cap_ms: i64,
    /// Connections for callers (readers on SQLite); 4.
    pub pool_size: u32,
    /// The longest error text kept, in bytes; 16 KiB.
    pub max_error_bytes: u32,
    /// The largest payload or input, in bytes of its canonical JSON; 1 MiB.
    pub max_payload_bytes: u64,
    /// PostgreSQL, where the URL leads to a pooler in transaction mode: the URL of the server itself, for the one connection
    /// that listens for commits of other processes; NULL: the store's own URL, and workers poll where that is a pooler's.
    pub listen_url: *const c_char,
    /// The largest artifact content, in bytes; 64 MiB.
    pub max_artifact_bytes: u64,
    /// Gives the secrets that documents name as `{"$secret": "NAME"}`; NULL: the environment variable of the name.
    pub secrets: sprongus_resolver,
    /// Handed to `secrets`; has to live as long as the store.
    pub secrets_data: *mut c_void,
}

/// The secret of that name, or NULL where there is none. The text stays the host's: it is copied at once, and has to stay until
/// the function is called again on the same thread. It runs on whatever thread needs the secret, several at a time, and must not throw.
pub type sprongus_resolver = Option<unsafe extern "C" fn(user_data: *mut c_void, name: *const c_char) -> *const c_char>;

/// A host's resolver.
struct Foreign(unsafe extern "C" fn(*mut c_void, *const c_char) -> *const c_char, *mut c_void);

// SAFETY: the host is told that its function runs on whatever thread needs a secret, several at a time.
unsafe impl Send for Foreign {}
// SAFETY: the same.
unsafe impl Sync for Foreign {}

impl Foreign {
    fn resolve(&self, name: &str) -> Result<String> {
        // SAFETY: the host's own function; the name lives until it returns.
        let secret = unsafe { (self.0)(self.1, c_text(name).as_ptr()) };
        // SAFETY: the host promises a terminated text, or NULL.
        let secret = unsafe { args::text_opt("the secret", secret) }?;
        secret
            .map(str::to_owned)
            .ok_or_else(|| Error::new(ErrorCode::NotFound, format!("the host has no secret of the name {name:?}")))
    }
}

// SAFETY: `repr(C)`, begins with its size; integers, pointers, and a function for which zero is None.
unsafe impl Plain for sprongus_options {}

/// The options as the core takes them.
///
/// # Safety
/// `given` is NULL or a readable struct of the size it says, its texts terminated.
pub(crate) unsafe fn read(given: *const sprongus_options) -> Result<Options> {
    // SAFETY: the same promise.
    let (given, actor, schema, listen_url) = unsafe {
        let given = args::plain("options", given)?;
        let listen_url = args::text_opt("options.listen_url", given.listen_url)?;
        let schema = args::text_opt("options.schema", given.schema)?;
        (given, args::text_opt("options.actor", given.actor)?, schema, listen_url)
    };
    let flags = flags::check(given.flags, FLAGS)?;
    let flag = |flag: u32| flags & flag != 0;
    let ours = Options::default();
    Ok(Options {
        durability: match given.durability {
            SPRONGUS_DURABILITY_FULL => Durability::Full,
            SPRONGUS_DURABILITY_NORMAL => Durability::Normal,
            _ => return Err(Error::invalid("options.durability is SPRONGUS_DURABILITY_FULL or _NORMAL")),
        },
        busy_timeout: args::millis("options.busy_timeout_ms", given.busy_timeout_ms)?.unwrap_or(ours.busy_timeout),
        call_timeout: args::millis("options.call_timeout_ms", given.call_timeout_ms)?.unwrap_or(ours.call_timeout),
        backoff_base: args::millis("options.backoff_base_ms", given.backoff_base_ms)?.unwrap_or(ours.backoff_base),
        backoff_cap: args::millis("options.backoff_cap_ms", given.backoff_cap_ms)?.unwrap_or(ours.backoff_cap),
        pool_size: or_default(given.pool_size, ours.pool_size),
        max_error_bytes: or_default(given.max_error_bytes as usize, ours.max_error_bytes),
        max_payload_bytes: or_default(given.max_payload_bytes as usize, ours.max_payload_bytes),
        statement_cache: !flag(SPRONGUS_NO_STATEMENT_CACHE),
        allow_network_fs: flag(SPRONGUS_ALLOW_NETWORK_FS),
        migrate: !flag(SPRONGUS_NO_MIGRATE),
        read_only: flag(SPRONGUS_READ_ONLY),
        check_secrets: !flag(SPRONGUS_NO_SECRETS_CHECK),
        row_security: flag(SPRONGUS_ROW_SECURITY),
        actor: actor.map(str::to_owned),
        schema: schema.map(str::to_owned),
        listen_url: listen_url.map(str::to_owned),
        max_artifact_bytes: or_default(given.max_artifact_bytes as usize, ours.max_artifact_bytes),
        secrets: given.secrets.map(|resolve| {
            let foreign = Foreign(resolve, given.secrets_data);
            Arc::new(move |name: &str| foreign.resolve(name)) as Resolver
        }),
        ..ours
    })
}

fn or_default<T: Default + PartialEq>(given: T, default: T) -> T {
    if given == T::default() { default } else { given }
}
