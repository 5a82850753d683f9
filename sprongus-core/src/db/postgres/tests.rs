//! The seam against a real server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod async_worker;
mod columns;
mod copy;
mod errors;
mod lent;
mod network;
mod params;
mod pool;
mod pooler;
mod projects;
mod sessions;
mod statements;
mod support;
mod together;
mod transactions;
mod url;
