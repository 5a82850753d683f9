//! Secrets: named in documents as `{"$secret": name}`, resolved by the host at the moment of use, never stored (DESIGN.md §10).

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// Gives the secret of that name; by default the environment variable of the name.
pub type Resolver = Arc<dyn Fn(&str) -> Result<String> + Send + Sync>;

/// The name in `{"$secret": name}`, if that is what the value is.
pub(crate) fn name_of(value: &Value) -> Option<&str> {
    let object: &Map<String, Value> = value.as_object().filter(|object| object.len() == 1)?;
    object.get("$secret")?.as_str()
}

/// The secret of that name, by the host's resolver or from the environment.
///
/// # Errors
/// What the host's resolver fails with; `not_found` where the environment has no such variable.
pub(crate) fn resolve(resolver: Option<&Resolver>, name: &str) -> Result<String> {
    match resolver {
        Some(resolve) => resolve(name),
        None => std::env::var(name).map_err(|_| {
            Error::not_found(format!("the secret {name:?} is not set: export it, or open with a resolver"))
        }),
    }
}
