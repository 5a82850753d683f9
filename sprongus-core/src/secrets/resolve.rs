//! From the name of a secret to the secret.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::masks::Masks;
use crate::error::{Error, ErrorCode, Result};

/// Gives the secret of that name; by default the environment variable of the name.
///
/// It fails with `not_found` where there is none of that name. What else it fails with is `unavailable` to whoever asked; its
/// own message is told to nobody: it may hold what it was asked for.
pub type Resolver = Arc<dyn Fn(&str) -> Result<String> + Send + Sync>;

/// The name in `{"$secret": name}`, if that is what the value is.
pub(crate) fn name_of(value: &Value) -> Option<&str> {
    let object: &Map<String, Value> = value.as_object().filter(|object| object.len() == 1)?;
    object.get("$secret")?.as_str()
}

/// The secret of that name, by the host's resolver or from the environment.
///
/// # Errors
/// `not_found` where there is none; `unavailable` where the host's resolver fails otherwise.
pub(crate) fn resolve(resolver: Option<&Resolver>, name: &str) -> Result<String> {
    let unset = || Error::not_found(format!("the secret {name:?} is not set: export it, or open with a resolver"));
    match resolver {
        Some(resolve) => resolve(name).map_err(|error| failed(name, error.code())),
        // `var` panics on names that no variable can have.
        None if name.is_empty() || name.contains(['=', '\0']) => Err(unset()),
        None => std::env::var(name).map_err(|_| unset()),
    }
}

fn failed(name: &str, code: ErrorCode) -> Error {
    match code {
        ErrorCode::NotFound => Error::not_found(format!("the resolver knows no secret {name:?}")),
        _ => {
            let message = format!("the resolver failed for the secret {name:?}; only it can tell why");
            Error::new(ErrorCode::Unavailable, message)
        }
    }
}

/// A config in which secrets stand in the place of their names. It is neither shown nor kept.
pub(crate) struct Revealed {
    pub(crate) config: Map<String, Value>,
    pub(crate) masks: Masks,
}

impl Revealed {
    /// Resolves every `{"$secret": name}`, at any depth.
    ///
    /// # Errors
    /// As [`resolve`].
    pub(crate) fn of(resolver: Option<&Resolver>, config: &Map<String, Value>) -> Result<Self> {
        let mut masks = Masks::default();
        let config = reveal_all(&mut masks, resolver, config)?;
        Ok(Self { config, masks })
    }
}

fn reveal_all(
    masks: &mut Masks,
    resolver: Option<&Resolver>,
    config: &Map<String, Value>,
) -> Result<Map<String, Value>> {
    config.iter().map(|(key, value)| Ok((key.clone(), reveal(masks, resolver, value)?))).collect()
}

fn reveal(masks: &mut Masks, resolver: Option<&Resolver>, value: &Value) -> Result<Value> {
    if let Some(name) = name_of(value) {
        let secret = resolve(resolver, name)?;
        masks.add(&secret);
        return Ok(Value::String(secret));
    }
    Ok(match value {
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| reveal(masks, resolver, item)).collect::<Result<_>>()?)
        }
        Value::Object(map) => Value::Object(reveal_all(masks, resolver, map)?),
        value => value.clone(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_config_is_revealed_at_any_depth_and_its_secrets_are_masked() {
        let resolver: Resolver = Arc::new(|name| match name {
            "S" => Ok("hunter2".to_owned()),
            _ => Err(Error::not_found("no")),
        });
        let config = map(json!({"a": [{"token": {"$secret": "S"}}], "b": {"$secret": "S", "x": 1}}));
        let revealed = Revealed::of(Some(&resolver), &config).unwrap();
        assert_eq!(revealed.config["a"][0]["token"], "hunter2");
        assert_eq!(revealed.config["b"], config["b"]);
        assert_eq!(revealed.masks.hide(Error::invalid("401 for hunter2")).message(), "401 for [secret]");
        let unknown = map(json!({"a": {"$secret": "T"}}));
        assert_eq!(Revealed::of(Some(&resolver), &unknown).err().unwrap().code(), ErrorCode::NotFound);
        assert_eq!(resolve(None, "a=b").unwrap_err().code(), ErrorCode::NotFound);
    }

    #[test]
    fn what_a_resolver_fails_with_is_told_to_nobody() {
        let resolver: Resolver = Arc::new(|_| {
            Err(Error::invalid("hunter2 has expired").with_details(json!(["hunter2"])).with_source("hunter2"))
        });
        let failed = resolve(Some(&resolver), "S").unwrap_err();
        assert_eq!((failed.code(), failed.retryable()), (ErrorCode::Unavailable, true));
        assert!(format!("{failed:?}").contains("\\\"S\\\"") && !format!("{failed:?}").contains("hunter2"));
    }
}
