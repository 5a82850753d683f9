//! Eight processes on one queue: each lease is given once, each report taken once, and limits hold.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod claims;
mod limits;
mod process;
