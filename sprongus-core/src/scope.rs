//! Scoped handles: what a handle may do, how fast, and the one project it sees (DESIGN.md §10).

mod rate;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorCode, Result};
use crate::session::{Session, Who};

pub(crate) use rate::Limited;
pub use rate::{Rate, Rates};

/// What an operation needs a handle to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub enum Scope {
    /// Read runs and their events.
    #[serde(rename = "runs:read")]
    RunsRead,
    /// Enqueue, claim, report, cancel.
    #[serde(rename = "runs:write")]
    RunsWrite,
    /// Read entries.
    #[serde(rename = "aux:read")]
    AuxRead,
    /// Write entries.
    #[serde(rename = "aux:write")]
    AuxWrite,
    /// Read presets and bindings.
    #[serde(rename = "presets:read")]
    PresetsRead,
    /// What belongs to the store: presets, bindings, raw SQL; lifts the wall around the project.
    #[serde(rename = "admin")]
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: &'static [Scope] =
        &[Self::RunsRead, Self::RunsWrite, Self::AuxRead, Self::AuxWrite, Self::PresetsRead, Self::Admin];

    /// The scopes of a handle where none are named: everything inside its project.
    pub const DEFAULT: &'static [Scope] =
        &[Self::RunsRead, Self::RunsWrite, Self::AuxRead, Self::AuxWrite, Self::PresetsRead];

    /// `runs:read`, `admin`, …
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RunsRead => "runs:read",
            Self::RunsWrite => "runs:write",
            Self::AuxRead => "aux:read",
            Self::AuxWrite => "aux:write",
            Self::PresetsRead => "presets:read",
            Self::Admin => "admin",
        }
    }

    /// The scope of that name; `invalid_argument` names those there are.
    pub fn parse(name: &str) -> Result<Self> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == name).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|scope| scope.as_str()).collect();
            Error::invalid(format!("no such scope; there are {}", names.join(", ")))
        })
    }
}

/// What a scoped handle is given.
///
/// ```
/// use std::time::Duration;
/// use sprongus::{Rate, Rates, ScopedOptions};
/// let rate = Rates { enqueue: Some(Rate::new(100, Duration::from_secs(1))), ..Rates::default() };
/// let options = ScopedOptions { rate, ..ScopedOptions::default() };
/// assert_eq!(options.scopes, sprongus::Scope::DEFAULT);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopedOptions {
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// How fast.
    pub rate: Rates,
}

impl Default for ScopedOptions {
    fn default() -> Self {
        Self { scopes: Scope::DEFAULT.to_vec(), rate: Rates::default() }
    }
}

/// What a scoped handle holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    project: String,
    scopes: Vec<Scope>,
    rates: Rates,
}

impl Grant {
    /// The grant of a handle that this one makes, from its own if it has one: never a wider one, unless it holds `admin`.
    pub(crate) fn narrowed(own: Option<&Self>, project: &str, options: &ScopedOptions) -> Result<Self> {
        crate::id::check_id("project", project)?;
        options.rate.check()?;
        let rates = own.map_or(options.rate, |own| own.rates.narrowed(options.rate));
        if let Some(own) = own.filter(|own| own.walled()) {
            let wider = own.project != project || options.scopes.iter().any(|scope| !own.scopes.contains(scope));
            if wider {
                return Err(Error::new(ErrorCode::PermissionDenied, "a scoped handle can only be narrowed"));
            }
        }
        Ok(Self { project: project.to_owned(), scopes: options.scopes.clone(), rates })
    }

    fn walled(&self) -> bool {
        !self.scopes.contains(&Scope::Admin)
    }
}

impl Who {
    /// The project whose bucket an operation takes from, and how fast; none: it is not counted.
    pub(crate) fn rate(&self, operation: Limited) -> Option<(&str, Rate)> {
        let grant = self.grant.as_deref()?;
        grant.rates.of(operation).map(|rate| (&*grant.project, rate))
    }
}

/// The one place where a handle's rights are checked.
impl<'s> Session<'s> {
    /// Refuses what the handle does not hold.
    pub(crate) fn allow(&self, scope: Scope) -> Result<()> {
        let Some(grant) = &self.who().grant else { return Ok(()) };
        if grant.scopes.contains(&scope) || grant.scopes.contains(&Scope::Admin) {
            return Ok(());
        }
        Err(Error::new(ErrorCode::PermissionDenied, format!("this handle does not hold {}", scope.as_str())))
    }

    /// The project of a call: the one named, or the handle's own where none is; another than its own is refused.
    pub(crate) fn project<'p>(&'p self, named: Option<&'p str>) -> Result<Option<&'p str>> {
        if let Some(project) = named {
            crate::id::check_id("project", project)?;
        }
        let Some(grant) = &self.who().grant else { return Ok(named) };
        match named {
            None => Ok(Some(&grant.project)),
            Some(project) if project == grant.project || !grant.walled() => Ok(Some(project)),
            Some(_) => Err(Error::new(ErrorCode::PermissionDenied, "this handle belongs to another project")),
        }
    }

    /// Whether the handle may see something of that project; what it may not see is `not_found` to it.
    pub(crate) fn sees(&self, project: Option<&str>) -> bool {
        match &self.who().grant {
            Some(grant) if grant.walled() => project == Some(grant.project.as_str()),
            _ => true,
        }
    }

    /// The project that the handle is confined to, if it is.
    pub(crate) fn confined(&self) -> Option<&'s str> {
        self.who().grant.as_ref().filter(|grant| grant.walled()).map(|grant| grant.project.as_str())
    }
}

/// The programs of the page on scoped handles run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/scopes.md")]
struct DocsPage;
