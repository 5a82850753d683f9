//! What the operations on runs are asked with.

mod by_id;
mod claim;
mod enqueue;
mod list;
mod report;
mod steps;
mod upkeep;

pub use by_id::*;
pub use claim::*;
pub use enqueue::*;
pub use list::*;
pub use report::*;
pub use steps::*;
pub use upkeep::*;

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::json::Json;

/// A value that stands there is given, also where it is null.
pub(super) fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

pub(super) fn yes() -> bool {
    true
}

pub(super) fn one() -> i64 {
    1
}

pub(super) fn three() -> i64 {
    3
}

pub(super) fn fifty() -> i64 {
    crate::page::DEFAULT_LIMIT
}

pub(super) fn thousand() -> i64 {
    crate::page::MAX_LIMIT
}

pub(super) fn minute() -> Duration {
    Duration::from_secs(60)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;

    #[test]
    fn requests_are_read_strictly_with_defaults() {
        let run: Enqueue = crate::json::decode(r#"{"kind":"a","delay":0.5}"#).unwrap();
        assert_eq!(run, Enqueue { delay: Some(Duration::from_millis(500)), ..Enqueue::new("a", Json::null()) });
        let wrong = crate::json::decode::<Enqueue>(r#"{"kind":"a","prio":1}"#).unwrap_err();
        assert_eq!(wrong.code(), crate::ErrorCode::InvalidArgument);
        crate::json::decode::<Enqueue>(r#"{"kind":"a","delay":-1}"#).unwrap_err();
        assert_eq!(crate::json::decode::<Claim>(r#"{"workerId":"w"}"#).unwrap(), Claim::new("w"));
        assert_eq!(crate::json::decode::<ListRuns>("{}").unwrap(), ListRuns::default());
    }

    #[test]
    fn null_is_an_output() {
        let read = |text| crate::json::decode::<Succeed>(text).unwrap().output;
        assert_eq!(read(r#"{"id":"a","lease":1,"output":null}"#), Some(Json::null()));
        assert_eq!(read(r#"{"id":"a","lease":1}"#), None);
        assert_eq!(serde_json::to_string(&Heartbeat::new("a", 1)).unwrap(), r#"{"id":"a","lease":1,"extend":null}"#);
    }
}
