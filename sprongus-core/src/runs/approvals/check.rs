//! What may be said with a request or a decision.

use serde_json::{Map, Value};

use crate::error::{Error, ErrorCode, Result};
use crate::json::Json;
use crate::options::Options;
use crate::runs::report::check_size;

/// The longest intent summary or note, in bytes.
const LONGEST: usize = 16 * 1024;

/// Text for people, of any number of lines.
pub(super) fn text(what: &str, text: &str) -> Result<()> {
    if text.len() > LONGEST {
        let message = format!("{what} has {} bytes; at most {LONGEST} are taken", text.len());
        return Err(Error::new(ErrorCode::TooLarge, message));
    }
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if text.is_empty() || text.chars().any(control) {
        return Err(Error::invalid(format!("{what} is text without control characters but line breaks and tabs")));
    }
    Ok(())
}

/// The metadata as it is kept: an object, and no credential in it.
pub(super) fn metadata(metadata: &Json, options: &Options) -> Result<Json> {
    check_size("the metadata", metadata, options.max_payload_bytes)?;
    options.refuse_secrets(metadata)?;
    members(metadata).and_then(|members| Json::from_value(&Value::Object(members)))
}

/// The request's metadata under the decision's.
pub(super) fn merged(asked: &Json, decided: &Json, max: usize) -> Result<Json> {
    let mut all = members(asked)?;
    all.extend(members(decided)?);
    let merged = Json::from_value(&Value::Object(all))?;
    check_size("the metadata of request and decision", &merged, max).map(|()| merged)
}

fn members(metadata: &Json) -> Result<Map<String, Value>> {
    match metadata.to_value() {
        Value::Object(members) => Ok(members),
        Value::Null => Ok(Map::new()),
        _ => Err(Error::invalid("the metadata is a JSON object or null")),
    }
}
