//! Which events a reader asked for, and which it may see: the same in SQL and in this process.

use super::Event;
use crate::db::Value;
use crate::error::{Error, ErrorCode, Result};
use crate::scope::Scope;
use crate::session::Session;

/// The families of types, and what reading them needs.
const FAMILIES: [(&str, Scope); 5] = [
    ("run.", Scope::RunsRead),
    ("aux.", Scope::AuxRead),
    ("preset.", Scope::PresetsRead),
    ("project.", Scope::AuxRead),
    ("config.", Scope::AuxRead),
];

/// The most types of one filter.
const MOST: usize = 1_000;

/// Types and a project; nothing is everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filter {
    types: Option<Types>,
    /// What a scoped handle may see of the types there are.
    seen: Option<Vec<String>>,
    project: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Types {
    exact: Vec<String>,
    prefixes: Vec<String>,
}

impl Filter {
    /// What was asked for, within what the handle may see.
    ///
    /// Errors: `invalid_argument` (a type), `permission_denied` where the handle holds none of the scopes, where it does not
    /// hold that of a type that is named, and for another's project.
    pub(super) fn new(session: &Session<'_>, types: Option<&[String]>, project: Option<&str>) -> Result<Self> {
        let held: Vec<&str> =
            FAMILIES.iter().filter(|(_, scope)| session.allow(*scope).is_ok()).map(|(family, _)| *family).collect();
        if held.is_empty() {
            session.allow(Scope::RunsRead)?;
        }
        let whole = session.allow(Scope::Admin).is_ok();
        let types = types.map(Types::parse).transpose()?;
        if let Some(denied) = types.iter().flat_map(Types::named).find(|name| !whole && !within(name, &held)) {
            return Err(Error::new(
                ErrorCode::PermissionDenied,
                format!("this handle may not read events of the type {denied}"),
            ));
        }
        let seen = (!whole).then(|| held.into_iter().map(str::to_owned).collect());
        Ok(Self { types, seen, project: session.project(project)?.map(str::to_owned) })
    }

    /// Whether it lets everything through.
    pub(super) fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// The condition in SQL; its parameters are added to those there are.
    pub(super) fn sql(&self, params: &mut Vec<Value<'static>>) -> String {
        let mut add = |value: &str| {
            params.push(value.to_owned().into());
            format!("${}", params.len())
        };
        let mut all = Vec::new();
        if let Some(types) = &self.types {
            let exact: Vec<String> = types.exact.iter().map(|name| add(name)).collect();
            let exact = (!exact.is_empty()).then(|| format!("type IN ({})", exact.join(", ")));
            let prefixes = types.prefixes.iter().map(|prefix| begins(prefix, &add(prefix)));
            all.push(any(exact.into_iter().chain(prefixes)));
        }
        if let Some(seen) = &self.seen {
            all.push(any(seen.iter().map(|prefix| begins(prefix, &add(prefix)))));
        }
        if let Some(project) = &self.project {
            all.push(format!("project_id = {}", add(project)));
        }
        if all.is_empty() { "TRUE".to_owned() } else { all.join(" AND ") }
    }

    /// The same decided here.
    pub(super) fn matches(&self, project: Option<&str>, event: &Event) -> bool {
        let kind = event.kind.as_str();
        let begins = |prefixes: &[String]| prefixes.iter().any(|prefix| kind.starts_with(prefix.as_str()));
        self.types.as_ref().is_none_or(|types| types.exact.iter().any(|name| name == kind) || begins(&types.prefixes))
            && self.seen.as_deref().is_none_or(begins)
            && (self.project.is_none() || self.project.as_deref() == project)
    }
}

/// A condition that holds where one of these does.
fn any(conditions: impl Iterator<Item = String>) -> String {
    let conditions: Vec<String> = conditions.collect();
    if conditions.is_empty() { "FALSE".to_owned() } else { format!("({})", conditions.join(" OR ")) }
}

/// LIKE folds case on one of the databases, and takes `_` for any letter on both.
fn begins(prefix: &str, param: &str) -> String {
    format!("substr(type, 1, {}) = {param}", prefix.len())
}

/// Whether all that a name or prefix stands for lies within those families.
fn within(name: &str, held: &[&str]) -> bool {
    held.iter().any(|family| name.starts_with(family))
}

impl Types {
    fn parse(names: &[String]) -> Result<Self> {
        if names.len() > MOST {
            return Err(Error::invalid(format!("types names {} values; at most {MOST} are taken", names.len())));
        }
        let mut types = Self::default();
        for (index, name) in names.iter().enumerate() {
            let (stem, is_prefix) = match name.strip_suffix('*') {
                Some(stem) => (stem, true),
                None => (name.as_str(), false),
            };
            let letters = stem.bytes().all(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte));
            if !letters || !(1..=64).contains(&stem.len()) || stem.starts_with('.') || stem.ends_with('.') != is_prefix
            {
                return Err(Error::invalid(format!(
                    "types[{index}] is no type of events: they are named like run.succeeded, and all of a family run.*"
                )));
            }
            if is_prefix { &mut types.prefixes } else { &mut types.exact }.push(stem.to_owned());
        }
        Ok(types)
    }

    fn named(&self) -> impl Iterator<Item = &String> {
        self.exact.iter().chain(&self.prefixes)
    }
}
