//! The strict JSON edge.
use crate::error::Result;

/// A JSON document in canonical form.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Json(std::sync::Arc<str>);

impl Json {
    /// Text that is known to be canonical.
    pub fn from_canonical(text: String) -> Self {
        Self(text.into())
    }

    /// Text as JSONB gives it back.
    pub fn from_database(text: &str) -> Result<Self> {
        Ok(Self(text.into()))
    }
}
