//! Messages from outside, each processed once (DESIGN.md §5 "inbox.accept").

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::runs::{Enqueue, Run};
use crate::session::Session;

/// A message that came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Accept {
    /// The channel it came by: 1–512 bytes.
    pub channel_id: String,
    /// Its id in that channel: 1–512 bytes.
    pub provider_message_id: String,
    /// The run that works it, if one does; enqueued in the same commit. Its project is the message's.
    #[serde(default)]
    pub enqueue: Option<Enqueue>,
    /// Whose it is; none: a scoped handle's own, else those without one.
    #[serde(default)]
    pub project: Option<String>,
}

impl Accept {
    /// A message without a run.
    pub fn new(channel_id: impl Into<String>, provider_message_id: impl Into<String>) -> Self {
        Self {
            channel_id: channel_id.into(),
            provider_message_id: provider_message_id.into(),
            enqueue: None,
            project: None,
        }
    }
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Accepted {
    /// The run of the first time, if it had one.
    pub run: Option<Run>,
    /// Whether this was the first time.
    pub first: bool,
}

/// The inbox of a store, or of an open transaction.
#[derive(Clone, Copy)]
pub struct Inbox<'s> {
    session: Session<'s>,
}

impl<'s> Inbox<'s> {
    pub(crate) fn new(session: Session<'s>) -> Self {
        Self { session }
    }

    /// Takes a message once per project, channel and id; a repeat is answered with the first, whatever it brings.
    ///
    /// Errors: `invalid_argument`, and those of [`Runs::enqueue`](crate::Runs::enqueue).
    pub fn accept(&self, request: &Accept) -> Result<Accepted> {
        let _ = (self.session, request);
        Err(crate::runs::unfinished())
    }
}
