//! Room to recurse in: how deep schemas and documents may nest is decided by limits, never by the caller's stack.

use std::thread::{Builder, scope};

use serde_json::Value;

use crate::error::{Error, ErrorCode, Result};

/// Address space, not memory: pages are touched only as deep as the recursion goes.
const ROOM: usize = 256 << 20;

/// Runs `work` on a stack of its own. `unavailable` where the system gives no thread.
pub(super) fn with_room<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T> {
    scope(|scope| {
        let thread = Builder::new().name("sprongus-presets".to_owned()).stack_size(ROOM).spawn_scoped(scope, work);
        let thread = thread.map_err(|error| {
            Error::new(ErrorCode::Unavailable, "no thread could be started to check a deeply nested document")
                .with_source(error)
        })?;
        Ok(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// How deep arrays and objects nest in a value, the value itself as 1; what is deeper than `most` counts as `most + 1`.
pub(super) fn depth(value: &Value, most: usize) -> usize {
    if most == 0 {
        return usize::from(value.is_array() || value.is_object());
    }
    match value {
        Value::Array(items) => 1 + items.iter().map(|item| depth(item, most - 1)).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(|item| depth(item, most - 1)).max().unwrap_or(0),
        _ => 0,
    }
}
