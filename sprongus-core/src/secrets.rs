//! Secrets: named in documents as `{"$secret": name}`, resolved by the host at the moment of use, never stored (DESIGN.md §10).

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::error::{Error, ErrorCode, Result, Violation};

/// Gives the secret of that name; by default the environment variable of the name.
pub type Resolver = Arc<dyn Fn(&str) -> Result<String> + Send + Sync>;

/// What stands in the place of a secret in an error.
const HIDDEN: &str = "[secret]";

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
        // `var` panics on names that no variable can have.
        None if name.is_empty() || name.contains(['=', '\0']) => Err(unset(name)),
        None => std::env::var(name).map_err(|_| unset(name)),
    }
}

fn unset(name: &str) -> Error {
    Error::not_found(format!("the secret {name:?} is not set: export it, or open with a resolver"))
}

/// A config in which secrets stand in the place of their names. It is neither shown nor kept.
pub(crate) struct Revealed {
    pub(crate) config: Map<String, Value>,
    secrets: Vec<String>,
}

impl Revealed {
    /// Resolves every `{"$secret": name}`, at any depth.
    ///
    /// # Errors
    /// As [`resolve`].
    pub(crate) fn of(resolver: Option<&Resolver>, config: &Map<String, Value>) -> Result<Self> {
        let mut revealed = Self { config: Map::new(), secrets: Vec::new() };
        for (key, value) in config {
            let value = revealed.reveal(resolver, value)?;
            revealed.config.insert(key.clone(), value);
        }
        Ok(revealed)
    }

    fn reveal(&mut self, resolver: Option<&Resolver>, value: &Value) -> Result<Value> {
        if let Some(name) = name_of(value) {
            let secret = resolve(resolver, name)?;
            self.secrets.push(secret.clone());
            return Ok(Value::String(secret));
        }
        Ok(match value {
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.reveal(resolver, item)).collect::<Result<_>>()?)
            }
            Value::Object(map) => {
                let member = |(key, value): (&String, &Value)| Ok((key.clone(), self.reveal(resolver, value)?));
                Value::Object(map.iter().map(member).collect::<Result<_>>()?)
            }
            value => value.clone(),
        })
    }

    /// The same error without the secrets, should whoever was given them have put one into it.
    pub(crate) fn hide(&self, error: Error) -> Error {
        if self.secrets.iter().all(String::is_empty) {
            return error;
        }
        // Its cause goes too: nobody can look into that.
        let hidden = Error::new(error.code(), self.hidden(error.message()));
        match error.details() {
            Some(details) => hidden.with_details(self.hidden_in(details)),
            None => hidden,
        }
    }

    fn hidden(&self, text: &str) -> String {
        let secrets = self.secrets.iter().filter(|secret| !secret.is_empty());
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), HIDDEN))
    }

    fn hidden_in(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.hidden(text)),
            Value::Array(items) => items.iter().map(|item| self.hidden_in(item)).collect(),
            Value::Object(map) => {
                map.iter().map(|(key, value)| (self.hidden(key), self.hidden_in(value))).collect::<Map<_, _>>().into()
            }
            value => value.clone(),
        }
    }
}

/// Ends of keys, in lower case and without separators, under which a text is a credential.
const KEYS: [&str; 9] =
    ["token", "secret", "password", "passwd", "passphrase", "apikey", "authorization", "privatekey", "credentials"];

/// Beginnings of texts that are credentials whatever their key.
const VALUES: [&str; 2] = ["Bearer ", "-----BEGIN "];

/// Refuses a config that holds what looks like a credential, unless it is named as `{"$secret": name}`.
///
/// # Errors
/// `secret_detected` with the path of each.
pub(crate) fn refuse(config: &Map<String, Value>) -> Result<()> {
    let mut found = Vec::new();
    look_into(config, "", &mut found);
    if found.is_empty() { Ok(()) } else { Err(Error::violations(ErrorCode::SecretDetected, found)) }
}

fn look_into(map: &Map<String, Value>, path: &str, found: &mut Vec<Violation>) {
    for (key, value) in map {
        let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
        look_at(key, value, &path, found);
    }
}

fn look_at(key: &str, value: &Value, path: &str, found: &mut Vec<Violation>) {
    match value {
        Value::String(text) if is_credential(key, text) => {
            let message = "looks like a credential; name it as {\"$secret\": NAME} and let it be resolved at use";
            found.push(Violation::new(path, "secret", message));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                look_at(key, item, &format!("{path}/{index}"), found);
            }
        }
        Value::Object(map) if name_of(value).is_none() => look_into(map, path, found),
        _ => {}
    }
}

fn is_credential(key: &str, text: &str) -> bool {
    let key: String = key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let named = KEYS.iter().any(|end| key.ends_with(end));
    !text.is_empty() && (named || VALUES.iter().any(|begin| text.starts_with(begin)) || has_password(text))
}

/// `scheme://user:password@host`.
fn has_password(text: &str) -> bool {
    let after = text.split_once("://").map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
    after.and_then(|authority| authority.rsplit_once('@')).is_some_and(|(user, _)| user.contains(':'))
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
    fn credentials_are_refused_where_they_stand() {
        let config = map(json!({
            "token": "x", "path": "/tmp/a.csv", "max_tokens": 5, "tokenizer": "x",
            "headers": {"Authorization": "x", "X-Api-Key": ["y"], "accept": "Bearer z"},
            "a/b": [{"url": "https://u:p@h/x"}, {"url": "https://h/u:p@x"}], "client_secret": {"$secret": "S"}, "password": ""
        }));
        let error = refuse(&config).unwrap_err();
        let mut paths: Vec<String> = error.violations_list().into_iter().map(|one| one.path).collect();
        paths.sort();
        let wanted = ["/a~1b/0/url", "/headers/Authorization", "/headers/X-Api-Key/0", "/headers/accept", "/token"];
        assert_eq!((error.code(), paths), (ErrorCode::SecretDetected, wanted.map(str::to_owned).to_vec()));
        assert!(!error.message().contains("u:p"));
    }

    #[test]
    fn a_secret_is_revealed_and_hidden_again() {
        let resolver: Resolver = Arc::new(|name| match name {
            "S" => Ok("hunter2".to_owned()),
            _ => Err(Error::not_found("no")),
        });
        let config = map(json!({"a": [{"token": {"$secret": "S"}}], "b": {"$secret": "S", "x": 1}}));
        let revealed = Revealed::of(Some(&resolver), &config).unwrap();
        assert_eq!(revealed.config["a"][0]["token"], "hunter2");
        assert_eq!(revealed.config["b"], config["b"]);
        let error = Error::invalid("401 for hunter2").with_details(json!({"hunter2": ["hunter2", 1]}));
        let hidden = revealed.hide(error);
        assert_eq!(hidden.message(), "401 for [secret]");
        assert_eq!(hidden.details(), Some(&json!({"[secret]": ["[secret]", 1]})));
        let unknown = map(json!({"a": {"$secret": "T"}}));
        assert_eq!(Revealed::of(Some(&resolver), &unknown).err().unwrap().code(), ErrorCode::NotFound);
        assert_eq!(resolve(None, "a=b").unwrap_err().code(), ErrorCode::NotFound);
    }
}
