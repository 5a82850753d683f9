//! What the databases plan to do for our statements: none costs more than what it is about.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod approvals;
mod artifacts;
mod aux_store;
mod doctor;
mod explain;
mod feed;
mod forced;
mod ground;
mod keeping;
mod lists;
mod pages;
mod past;
mod projects;
mod queries;
mod runs;
mod search;
mod workspace;
