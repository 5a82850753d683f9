//! Secrets: named in documents as `{"$secret": name}`, resolved by the host at the moment of use, never stored (DESIGN.md §10).
//!
//! What would be stored and looks like one is refused; what was resolved is cut out of what is told of a run or a sync.

mod detect;
mod keys;
mod masks;
mod resolve;
mod scan;
mod shapes;
#[cfg(test)]
mod tests;

pub(crate) use detect::{refuse, refuse_in, refuse_shapes, refuse_text};
pub(crate) use masks::Masks;
pub use resolve::Resolver;
pub(crate) use resolve::{Revealed, name_of, resolve};

/// The program of the page on secrets.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/secrets.md")]
struct SecretsPage;
