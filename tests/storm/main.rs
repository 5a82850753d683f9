//! Eight processes on one store: each lease is given once, each report taken once, limits hold, and an import holds nobody up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod claims;
mod imports;
mod killed;
mod limits;
mod process;
mod rates;
