//! What is found and what is not.
#![allow(clippy::unwrap_used)]

mod credentials;
mod real_data;

use serde_json::Value;

use super::detect::refuse;
use crate::json::Json;

/// The paths of what looks like a credential in a document.
fn paths(document: &Value) -> Vec<String> {
    let refused = refuse(&Json::from_value(document).unwrap());
    refused.map_or_else(|error| error.violations_list().into_iter().map(|one| one.path).collect(), |()| Vec::new())
}
