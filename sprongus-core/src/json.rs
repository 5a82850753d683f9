//! The strict JSON edge: RFC 8259 and the rules of DESIGN.md §3, one canonical form.
//!
//! A document is parsed once. What is refused: duplicate keys, NUL in any string or key, nesting over 128, integers outside
//! i64 ∪ u64, numbers past f64, lone surrogates, a byte order mark, anything after the document, bytes that are not UTF-8.

mod arranged;
mod canonical;
mod document;
mod finite;
mod numbers;
mod parse;
pub mod pointer;
mod raw;
mod sure;
#[cfg(test)]
mod tests;

pub(crate) use canonical::quote;
pub use document::Json;
pub use parse::{decode, parse_value};
pub(crate) use raw::{Member, Raw};

/// The deepest nesting of arrays and objects, the document itself counted as 1.
pub const MAX_DEPTH: usize = 128;

/// Why a string or key with NUL is refused: neither JSONB nor PostgreSQL's TEXT can hold it.
const NUL: &str = "the character NUL (U+0000) is not allowed; leave it out";
const NOT_FINITE: &str = "NaN and infinities are not JSON";
const TOO_DEEP: &str = "arrays and objects are nested deeper than 128";
