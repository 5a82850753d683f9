//! Dicts of enqueue's parameters: the items of `enqueue_many`, what a factory gives, what the inbox takes.

use pyo3::prelude::*;
use pyo3::types::{PyMapping, PyString};
use sprongus::runs::Enqueue;
use sprongus::{Error, Json};

use crate::args::{Text, Whole, text};
use crate::error::{at_item, raised};
use crate::json_in;
use crate::time::{At, Seconds};

/// Reads the items; an error tells which one it is about, counted from 0.
pub(crate) fn read_all(items: &Bound<'_, PyAny>) -> PyResult<Vec<Enqueue>> {
    let read = |(index, item): (usize, PyResult<Bound<'_, PyAny>>)| {
        read(&item?).map_err(|error| at_item(items.py(), index, error))
    };
    items.try_iter()?.enumerate().map(read).collect()
}

/// Reads one by enqueue's own rules; a key that is no parameter is refused.
pub(crate) fn read(item: &Bound<'_, PyAny>) -> PyResult<Enqueue> {
    let refused = |message: &str| raised(item.py(), &Error::invalid(message));
    let Ok(mapping) = item.cast::<PyMapping>() else {
        return Err(refused("a run to be enqueued is a dict of enqueue's parameters"));
    };
    let mut request = Enqueue::new("", Json::null());
    let mut named = false;
    for pair in mapping.items()?.iter() {
        let (key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair.extract()?;
        let Ok(key) = key.cast::<PyString>() else { return Err(refused("the keys of a run to be enqueued are str")) };
        let key = key.to_string_lossy();
        named |= key == "kind";
        if !set(&mut request, &key, &value)? {
            return Err(refused(&format!("enqueue has no parameter {key:?}")));
        }
    }
    if named { Ok(request) } else { Err(refused("a run to be enqueued lacks \"kind\"")) }
}

/// Sets one parameter; whether there is one of that name.
fn set(request: &mut Enqueue, key: &str, value: &Bound<'_, PyAny>) -> PyResult<bool> {
    match key {
        "kind" => request.kind = value.extract::<Text>()?.0,
        "input" => request.input = json_in::document(value)?,
        "project" => request.project = text(value.extract()?),
        "idempotency_key" => request.idempotency_key = text(value.extract()?),
        "max_attempts" => request.max_attempts = value.extract::<Whole>()?.0,
        "priority" => request.priority = value.extract::<Whole>()?.0,
        "run_at" => request.run_at = value.extract::<Option<At>>()?.map(|at| at.0),
        "delay" => request.delay = value.extract::<Option<Seconds>>()?.map(|delay| delay.0),
        "timeout" => request.timeout = value.extract::<Option<Seconds>>()?.map(|timeout| timeout.0),
        "needs_approval" => request.needs_approval = value.extract()?,
        "requested_by" => request.requested_by = text(value.extract()?),
        "channel_id" => request.channel_id = text(value.extract()?),
        "conversation_id" => request.conversation_id = text(value.extract()?),
        "parent" => request.parent = text(value.extract()?),
        _ => return Ok(false),
    }
    Ok(true)
}
