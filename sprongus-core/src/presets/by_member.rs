//! Presets that judge each property of a document by itself: what a property holds is known to be valid without the others.

use jsonschema::Validator;
use serde_json::{Map, Value};

use super::compile::{Compiled, draft_of, options};

/// Keywords of a schema that ask nothing of more than one property at a time.
const WHOLE: [&str; 13] = [
    "$schema",
    "$id",
    "$comment",
    "$defs",
    "definitions",
    "title",
    "description",
    "type",
    "properties",
    "required",
    "additionalProperties",
    "x-unique",
    "x-index",
];

/// Keywords that ask nothing of a property but its type.
const TYPED: [&str; 12] = [
    "type",
    "title",
    "description",
    "$comment",
    "examples",
    "deprecated",
    "readOnly",
    "x-ref",
    "x-unique",
    "x-index",
    "x-search",
    "x-id",
];

/// The rules of such a preset.
pub(crate) struct ByMember<'p> {
    schema: &'p Value,
    properties: Option<&'p Map<String, Value>>,
}

/// What is asked of a property.
#[derive(Debug)]
pub(crate) enum Rule {
    /// Nothing but its type, which whatever is read as one has.
    Typed { nullable: bool },
    /// More than that.
    Judged(Box<Validator>),
}

impl Rule {
    /// Whether a value that was read by the property's [`CellType`](super::CellType) is valid.
    pub(crate) fn holds(&self, value: &Value) -> bool {
        match self {
            Self::Typed { nullable } => *nullable || !value.is_null(),
            Self::Judged(validator) => validator.is_valid(value),
        }
    }
}

impl Compiled {
    /// The rules, property by property; `None` where documents must be judged whole, or get defaults.
    pub(crate) fn by_member(&self) -> Option<ByMember<'_>> {
        let schema = self.schema();
        let map = schema.as_object().filter(|_| !self.has_defaults())?;
        let known = map.keys().all(|keyword| WHOLE.contains(&keyword.as_str()));
        let object = map.get("type").is_none_or(|named| named == "object");
        let additional = map.get("additionalProperties").is_none_or(Value::is_boolean);
        let properties = map.get("properties").and_then(Value::as_object);
        (known && object && additional).then_some(ByMember { schema, properties })
    }
}

impl ByMember<'_> {
    /// The properties a document must have.
    pub(crate) fn required(&self) -> impl Iterator<Item = &str> {
        self.schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// The rule of a property; `None` where it may not be there, or cannot be judged by itself.
    pub(crate) fn rule(&self, name: &str) -> Option<Rule> {
        let Some(schema) = self.properties.and_then(|properties| properties.get(name)) else {
            let more = self.schema.get("additionalProperties") != Some(&Value::Bool(false));
            return more.then_some(Rule::Typed { nullable: true });
        };
        match schema {
            Value::Object(map) if map.keys().all(|keyword| TYPED.contains(&keyword.as_str())) => {
                let nullable = map.get("type").is_none_or(|named| {
                    named == "null" || named.as_array().is_some_and(|names| names.iter().any(|name| name == "null"))
                });
                Some(Rule::Typed { nullable })
            }
            _ if refers(schema) => None,
            _ => {
                let validator = options(draft_of(self.schema).ok()?).build(schema).ok()?;
                Some(Rule::Judged(Box::new(validator)))
            }
        }
    }
}

/// Whether a schema may lean on what stands elsewhere: every keyword by which it could begins with `$`.
fn refers(schema: &Value) -> bool {
    match schema {
        Value::Object(map) => {
            map.iter().any(|(key, inner)| (key.starts_with('$') && key != "$comment") || refers(inner))
        }
        Value::Array(items) => items.iter().any(refers),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::json::Json;

    fn compiled(schema: Value) -> Compiled {
        Compiled::new(&Json::from_value(&schema).unwrap()).unwrap()
    }

    #[test]
    fn properties_are_judged_as_documents_are() {
        let schema = json!({"type": "object", "additionalProperties": false, "required": ["a"], "properties": {
            "a": {"type": "string", "title": "A"}, "b": {"type": ["integer", "null"], "x-index": true}, "c": {"enum": ["x", null]},
            "d": {"type": "string", "format": "date"}, "e": {"type": "array", "items": {"minimum": 3}}, "f": true, "g": {"x-max-bytes": 2}}});
        let preset = compiled(schema);
        let rules = preset.by_member().unwrap();
        assert_eq!(rules.required().collect::<Vec<_>>(), ["a"]);
        assert!(rules.rule("z").is_none());
        for (name, value) in [
            ("b", json!(null)),
            ("c", json!("x")),
            ("c", json!("y")),
            ("c", json!(null)),
            ("d", json!("2024-02-30")),
            ("d", json!("2024-02-29")),
            ("d", json!(null)),
            ("e", json!([3, 4])),
            ("e", json!([2])),
            ("f", json!({})),
            ("g", json!("é")),
            ("g", json!("éé")),
        ] {
            let whole = preset.validate(&json!({"a": "", name: value})).is_empty();
            assert_eq!(rules.rule(name).unwrap().holds(&value), whole, "{name}: {value}");
        }
        assert!(!rules.rule("a").unwrap().holds(&json!(null)));
    }

    #[test]
    fn what_must_be_judged_whole_is_not_taken_apart() {
        for schema in [
            json!({"allOf": [{"required": ["a"]}]}),
            json!({"minProperties": 2}),
            json!({"additionalProperties": {"type": "string"}}),
            json!({"properties": {"a": {"default": 1}}}),
            json!({"type": "array"}),
            json!({"patternProperties": {"^a": {"type": "integer"}}}),
        ] {
            assert!(compiled(schema.clone()).by_member().is_none(), "{schema}");
        }
        let referring =
            compiled(json!({"$defs": {"n": {"type": "integer"}}, "properties": {"a": {"$ref": "#/$defs/n"}}}));
        assert!(referring.by_member().unwrap().rule("a").is_none());
    }
}
