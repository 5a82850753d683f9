//! What the validator found, as violations: paths to the property itself, messages without values.

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::paths::Location;
use jsonschema::{Keyword, ValidationError, Validator};
use serde_json::{Map, Value};

use super::keywords::max_bytes;
use super::schema::escaped;
use crate::error::Violation;
use crate::json::Json;

/// Longest text quoted from a schema in a message, in characters.
const LONGEST: usize = 200;

/// Every violation, ordered by path, keyword and message, each once.
pub(super) fn violations(validator: &Validator, document: &Value) -> Vec<Violation> {
    let mut found: Vec<Violation> = validator.iter_errors(document).flat_map(|error| of(&error)).collect();
    found.sort_by(|a, b| (&a.path, &a.keyword, &a.message).cmp(&(&b.path, &b.keyword, &b.message)));
    found.dedup();
    found
}

fn of(error: &ValidationError<'_>) -> Vec<Violation> {
    let path = error.instance_path().as_str();
    let at = |name: &str| format!("{path}/{}", escaped(name));
    match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![Violation::new(at(name), required_keyword(error), "is missing")]
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let keyword = error.kind().keyword();
            unexpected
                .iter()
                .map(|name| Violation::new(at(name), keyword, "is not a property the preset knows"))
                .collect()
        }
        Kind::PropertyNames { error: inner } => {
            let name = inner.instance().as_str().unwrap_or_default();
            vec![Violation::new(at(name), "propertyNames", format!("the name of the property {}", message(inner)))]
        }
        kind => vec![Violation::new(path, kind.keyword(), message(error))],
    }
}

/// `required`, or the keyword by which another property asks for this one.
fn required_keyword(error: &ValidationError<'_>) -> &'static str {
    let place = error.schema_path().as_str();
    match place.rsplit('/').find(|segment| ["required", "dependentRequired", "dependencies"].contains(segment)) {
        Some("dependentRequired") => "dependentRequired",
        Some("dependencies") => "dependencies",
        _ => "required",
    }
}

/// What would be right, without what was found.
pub(super) fn message(error: &ValidationError<'_>) -> String {
    match error.kind() {
        Kind::Type { kind } => format!("is not {}", types(kind)),
        Kind::Enum { options } => format!("is none of {}", list(options)),
        Kind::Constant { expected_value } => format!("is not {}", shortened(&expected_value.to_string())),
        Kind::Format { format } => format!("is not of the format {format}"),
        Kind::Pattern { pattern } => format!("does not match the pattern {}", shortened(pattern)),
        Kind::BacktrackLimitExceeded { .. } | Kind::RegexEngineFailure { .. } => {
            "could not be matched against the pattern within its limit of steps".to_owned()
        }
        Kind::Minimum { limit } => format!("is less than {limit}"),
        Kind::Maximum { limit } => format!("is greater than {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("is not greater than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("is not less than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("is not a multiple of {multiple_of}"),
        Kind::MinLength { limit } => format!("has fewer than {limit} characters"),
        Kind::MaxLength { limit } => format!("has more than {limit} characters"),
        Kind::MinItems { limit } => format!("has fewer than {limit} items"),
        Kind::MaxItems { limit } => format!("has more than {limit} items"),
        Kind::AdditionalItems { limit } => format!("has more than {limit} items"),
        Kind::UnevaluatedItems { unexpected } => format!("has {} items more than the preset knows", unexpected.len()),
        Kind::MinProperties { limit } => format!("has fewer than {limit} properties"),
        Kind::MaxProperties { limit } => format!("has more than {limit} properties"),
        Kind::UniqueItems => "holds the same item twice".to_owned(),
        Kind::Contains => "does not hold the items asked for, or holds too many of them".to_owned(),
        Kind::FalseSchema => "must not be there".to_owned(),
        Kind::Not { .. } => "is what the preset excludes".to_owned(),
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            format!("fits none of the {} forms the preset allows{}", context.len(), branches(context))
        }
        Kind::OneOfMultipleValid { .. } => "fits more than one of the forms of which exactly one is allowed".to_owned(),
        Kind::ContentEncoding { content_encoding } => format!("is not encoded as {content_encoding}"),
        Kind::ContentMediaType { content_media_type } => format!("is not {content_media_type}"),
        Kind::FromUtf8 { .. } => "does not decode to UTF-8".to_owned(),
        Kind::Custom { message, .. } => message.clone(),
        _ => "breaks this rule of the preset".to_owned(),
    }
}

/// Why each form was refused, where that is a word each.
fn branches(context: &[Vec<ValidationError<'static>>]) -> String {
    let each: Option<Vec<String>> = context
        .iter()
        .map(|errors| match errors.as_slice() {
            [one] if matches!(one.kind(), Kind::Type { .. }) => Some(message(one)),
            _ => None,
        })
        .collect();
    each.map(|each| format!(": {}", each.join(", "))).unwrap_or_default()
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => article(one.as_str()),
        TypeKind::Multiple(several) => several.iter().map(|one| article(one.as_str())).collect::<Vec<_>>().join(" or "),
    }
}

fn article(name: &str) -> String {
    match name {
        "null" => name.to_owned(),
        "array" | "integer" | "object" => format!("an {name}"),
        _ => format!("a {name}"),
    }
}

fn list(options: &Value) -> String {
    let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
    shortened(&options.iter().map(Value::to_string).collect::<Vec<_>>().join(", "))
}

/// Text of a schema, cut to what a message can hold.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Whether a value is `{"$secret": name}`.
pub(super) fn is_secret(value: &Value) -> bool {
    let name = value.as_object().filter(|map| map.len() == 1).and_then(|map| map.get("$secret")?.as_str());
    name.is_some_and(|name| !name.is_empty())
}

/// A keyword of ours, as the validator calls it.
type Made<'a> = Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>>;

struct MaxBytes(u64);

impl<'i> Keyword<'i> for MaxBytes {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) {
            Ok(())
        } else {
            Err(ValidationError::custom(format!("is longer than {} bytes", self.0)))
        }
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        match instance {
            Value::String(text) => text.len() as u64 <= self.0,
            other => Json::from_value(other).is_ok_and(|json| json.as_str().len() as u64 <= self.0),
        }
    }
}

pub(super) fn max_bytes_keyword<'a>(_: &'a Map<String, Value>, value: &'a Value, _: Location) -> Made<'a> {
    Ok(Box::new(MaxBytes(max_bytes(value).map_err(ValidationError::schema)?)))
}

struct Secret(bool);

impl<'i> Keyword<'i> for Secret {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) {
            return Ok(());
        }
        Err(ValidationError::custom("is not a reference to a secret: {\"$secret\": name}"))
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        !self.0 || is_secret(instance)
    }
}

pub(super) fn secret_keyword<'a>(_: &'a Map<String, Value>, value: &'a Value, _: Location) -> Made<'a> {
    let on = value.as_bool().ok_or_else(|| ValidationError::schema("x-secret is true or false"))?;
    Ok(Box::new(Secret(on)))
}
