//! `with-postgres COMMAND [ARGUMENT…]`: runs a command beside a throw-away PostgreSQL and ends with its exit code.
//!
//! The command finds the server in `SPRONGUS_TEST_PG_URL` (unix socket) and `SPRONGUS_TEST_PG_TCP_URL` (loopback).
//! Where `SPRONGUS_TEST_PG_URL` is set already, that server is used.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode};

use sprongus_testkit::Postgres;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(program) = arguments.next() else {
        eprintln!("usage: with-postgres COMMAND [ARGUMENT…]");
        return ExitCode::from(2);
    };
    let mut command = Command::new(&program);
    command.args(arguments);
    let given = std::env::var_os("SPRONGUS_TEST_PG_URL").is_some_and(|url| !url.is_empty());
    let server = (!given).then(Postgres::start);
    if let Some(server) = &server {
        command.env("SPRONGUS_TEST_PG_URL", server.url()).env("SPRONGUS_TEST_PG_TCP_URL", server.url_tcp());
    }
    match command.status() {
        Ok(status) => {
            let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
            ExitCode::from(u8::try_from(code).unwrap_or(1))
        }
        Err(error) => {
            eprintln!("with-postgres: {}: {error}", program.display());
            ExitCode::from(127)
        }
    }
}
