//! The one error type: a stable code, a message that says the way out, details as data.
//!
//! DESIGN.md §4. The same codes appear in C as `SPRONGUS_ERR_*` and in Python as a hierarchy under `SprongusError`.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What every fallible call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $text:literal;)*) => {
        /// A stable code. Its text and its number never change and are never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum ErrorCode { $($(#[$doc])* $variant,)* }

        impl ErrorCode {
            /// Every code, in the order of its number.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$variant,)*];

            /// The code as text, as it stands in JSON and in Python's `error.code`.
            pub const fn as_str(self) -> &'static str { match self { $(ErrorCode::$variant => $text,)* } }

            /// The code as C's `SPRONGUS_ERR_*` number: 1xx the call, 2xx the state, 3xx the surroundings, 4xx the storage, 9xx a bug.
            pub const fn number(self) -> i32 { match self { $(ErrorCode::$variant => $number,)* } }
        }
    };
}

codes! {
    /// An argument is outside what the call takes.
    InvalidArgument = 101, "invalid_argument";
    /// The call itself is wrong here: a closed handle, a Store used inside its own transaction, an async worker thread.
    Misuse = 102, "misuse";
    /// No such thing, or it belongs to another project.
    NotFound = 103, "not_found";
    /// A document breaks its preset or is not JSON as RFC 8259 has it; the details carry every violation.
    Validation = 104, "validation";
    /// A payload sets a field that belongs to the entry.
    ReservedField = 105, "reserved_field";
    /// Larger than the limit named in the message.
    TooLarge = 106, "too_large";
    /// What looks like a credential stands where it would be stored.
    SecretDetected = 107, "secret_detected";
    /// This handle may not do that.
    PermissionDenied = 108, "permission_denied";
    /// Not available on this database or in this build.
    Unsupported = 109, "unsupported";
    /// The Store was opened before `fork()`; open another in the child.
    Forked = 110, "forked";
    /// A unique value, an idempotency key or a version is taken.
    Conflict = 201, "conflict";
    /// The state machine has no such transition.
    InvalidState = 202, "invalid_state";
    /// Another attempt holds the run now.
    LeaseLost = 203, "lease_lost";
    /// Something else refers to it.
    Referenced = 204, "referenced";
    /// Over the rate given to this handle or kind.
    RateLimited = 205, "rate_limited";
    /// The database stayed locked past the deadline.
    Busy = 301, "busy";
    /// The deadline of the call passed.
    Timeout = 302, "timeout";
    /// The database cannot be reached.
    Unavailable = 303, "unavailable";
    /// COMMIT broke and it cannot be told whether it took effect.
    OutcomeUnknown = 304, "outcome_unknown";
    /// The database refused for a reason not listed here.
    Storage = 401, "storage";
    /// No room left.
    StorageFull = 402, "storage_full";
    /// The write-ahead log was replaced under an open store: two SQLite copies in one process.
    SplitBrain = 403, "split_brain";
    /// The file is damaged or not a database.
    Corrupt = 404, "corrupt";
    /// The schema is newer than this library, or older and not to be migrated.
    SchemaVersion = 405, "schema_version";
    /// A bug of ours, caught at the border.
    Panic = 901, "panic";
}

impl ErrorCode {
    /// Whether the same call may succeed later without a change.
    pub const fn retryable(self) -> bool {
        matches!(self, Self::RateLimited | Self::Busy | Self::Timeout | Self::Unavailable)
    }

    /// The code of that text, if there is one.
    pub fn parse(text: &str) -> Option<ErrorCode> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One way in which a document breaks its preset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Violation {
    /// Where: a JSON Pointer (RFC 6901) to the property itself, missing and surplus ones included; "" is the document.
    pub path: String,
    /// The JSON Schema keyword that failed, or one of ours (`json`, `reserved`, `unique`, `secret`, …).
    pub keyword: String,
    /// What was wrong and what would be right, without the value.
    pub message: String,
    /// In bulk: the row, 1-based, the header not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// In bulk: the entry's id where it was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl Violation {
    /// A violation of a single document.
    pub fn new(path: impl Into<String>, keyword: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), keyword: keyword.into(), message: message.into(), row: None, id: None }
    }
}

/// An error as data: `code` for programs, `message` for people, `details` for both.
///
/// ```
/// use sprongus::{Error, ErrorCode};
/// let error = Error::new(ErrorCode::NotFound, "no run with the id 01J…");
/// assert_eq!(error.code().as_str(), "not_found");
/// assert!(!error.retryable());
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    code: ErrorCode,
    message: String,
    details: Option<Value>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of that code; `message` says what was wrong, where, and what would be right.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { code, message: message.into(), details: None, source: None }))
    }

    /// `invalid_argument`.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidArgument, message)
    }

    /// `misuse`.
    pub fn misuse(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Misuse, message)
    }

    /// `not_found`.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::NotFound, message)
    }

    /// `validation` with every violation, under `details.errors`.
    pub fn validation(errors: Vec<Violation>) -> Self {
        Self::violations(ErrorCode::Validation, errors)
    }

    /// An error of that code which carries violations: the message names the first, the details hold all.
    pub fn violations(code: ErrorCode, errors: Vec<Violation>) -> Self {
        let message = match errors.as_slice() {
            [] => "the document is not valid".to_owned(),
            [one] => at(one),
            [first, rest @ ..] => format!("{} (and {} more)", at(first), rest.len()),
        };
        Self::new(code, message).with_details(json!({ "errors": errors }))
    }

    /// The same error with details.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.0.details = Some(details);
        self
    }

    /// The same error with its cause, for `std::error::Error::source`.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// What was wrong, where, and what would be right. Holds no payload and no secret.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Further data, by code: `errors` for `validation`, `referrers` for `referenced`, …
    pub fn details(&self) -> Option<&Value> {
        self.0.details.as_ref()
    }

    /// The violations under `details.errors`; none for other codes.
    pub fn violations_list(&self) -> Vec<Violation> {
        let errors = self.details().and_then(|details| details.get("errors"));
        errors.and_then(|errors| serde_json::from_value(errors.clone()).ok()).unwrap_or_default()
    }

    /// Whether the same call may succeed later without a change.
    pub fn retryable(&self) -> bool {
        self.0.code.retryable()
    }

    /// The error as the JSON object that crosses the doors: `code`, `message`, `details`, `retryable`.
    pub fn to_json(&self) -> Value {
        json!({ "code": self.code(), "message": self.message(), "details": self.details(), "retryable": self.retryable() })
    }
}

fn at(violation: &Violation) -> String {
    let place = if violation.path.is_empty() { "the document" } else { &violation.path };
    match violation.row {
        Some(row) => format!("row {row}, {place}: {}", violation.message),
        None => format!("{place}: {}", violation.message),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.0.code)
            .field("message", &self.0.message)
            .field("details", &self.0.details)
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
