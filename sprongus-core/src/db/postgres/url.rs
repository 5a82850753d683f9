//! Connection URLs: postgres://…, postgresql://… and key=value text, as libpq reads them.

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use super::settings::PostgresSettings;
use crate::error::{Error, ErrorCode, Result};

/// Where libpq looks for a server when no host is named.
const SOCKETS: &str = "/var/run/postgresql";

/// The driver's configuration. Without a user in it the driver takes the operating system's.
pub(super) fn parse(url: &str, settings: &PostgresSettings) -> Result<Config> {
    if url.contains("sslmode=verify-") || url.contains("sslmode=allow") {
        return Err(no_tls());
    }
    // The parser's own message is left out: it may quote a piece of a password.
    let mut config: Config = url.parse().map_err(|_| {
        Error::invalid(
            "the PostgreSQL URL cannot be read; write postgres://user:password@host:port/database, with special characters percent-encoded",
        )
    })?;
    if config.get_ssl_mode() == SslMode::Require {
        return Err(no_tls());
    }
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        config.host(if std::path::Path::new(SOCKETS).is_dir() { SOCKETS } else { "localhost" });
    }
    if config.get_application_name().is_none() {
        config.application_name(settings.application_name);
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(settings.call_timeout);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(settings.call_timeout);
    }
    if config.get_keepalives_interval().is_none() {
        config
            .keepalives_idle(Duration::from_secs(30))
            .keepalives_interval(Duration::from_secs(10))
            .keepalives_retries(3);
    }
    Ok(config)
}

fn no_tls() -> Error {
    Error::new(
        ErrorCode::Unsupported,
        "this build has no TLS for PostgreSQL; use sslmode=disable or prefer, or a Unix socket",
    )
}

/// The URL with every password in it replaced by `***`, for messages and logs.
pub(crate) fn redact(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return without_value(url, char::is_whitespace) };
    // The last @, in case one stands unencoded in the password: rather too little is shown than too much.
    let (user, rest) = match rest.rsplit_once('@') {
        Some((credentials, rest)) => {
            let user = credentials.split(':').next().unwrap_or_default();
            let mark = if credentials.contains(':') { ":***@" } else { "@" };
            (format!("{user}{mark}"), rest)
        }
        None => (String::new(), rest),
    };
    format!("{scheme}://{user}{}", without_value(rest, |c| c == '&'))
}

/// Replaces what follows `password=` up to a separator, or to the end of its quotes.
fn without_value(text: &str, separator: impl Fn(char) -> bool) -> String {
    let lower = text.to_ascii_lowercase();
    let Some(at) = lower.find("password") else { return text.to_owned() };
    let Some(start) = text[at..].find('=').map(|equals| at + equals + 1) else { return text.to_owned() };
    let value = &text[start..];
    let skipped = value.len() - value.trim_start().len();
    let end = if value[skipped..].starts_with('\'') {
        quoted_end(value, skipped + 1)
    } else {
        value[skipped..].find(&separator).map_or(value.len(), |end| skipped + end)
    };
    format!("{}***{}", &text[..start], without_value(&value[end..], separator))
}

fn quoted_end(value: &str, from: usize) -> usize {
    let mut escaped = false;
    for (index, c) in value[from..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\'' => return from + index + 1,
            _ => {}
        }
    }
    value.len()
}
