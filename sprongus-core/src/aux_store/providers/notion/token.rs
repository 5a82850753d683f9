//! The token, kept out of what the HTTP client logs: at the level `trace` that is every byte of a request.
//!
//! The client is given a stand-in of the same length, which is replaced on the way out, below the place where it logs.

use std::fmt;
use std::sync::Arc;

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// A token and what stands for it.
#[derive(Clone)]
pub(super) struct Token {
    token: Arc<str>,
    stand_in: Arc<str>,
}

impl Token {
    pub(super) fn new(token: &str) -> Self {
        let random = std::iter::repeat_with(crate::id::new_id).flat_map(|id| id.chars().rev().collect::<Vec<_>>());
        Self { token: token.into(), stand_in: random.take(token.len()).collect::<String>().into() }
    }

    /// The value of the header, as far as the client is told.
    pub(super) fn header(&self) -> String {
        format!("Bearer {}", self.stand_in)
    }

    /// The text without the token.
    pub(super) fn hidden(&self, text: &str) -> String {
        text.replace(&*self.token, "…")
    }

    /// Puts the token where it belongs, if the header is among these bytes.
    fn insert(&self, bytes: &mut [u8]) {
        let header = self.header();
        let at = bytes.windows(header.len()).position(|window| window == header.as_bytes());
        if let Some(end) = at.map(|at| at + header.len()) {
            bytes[end - self.token.len()..end].copy_from_slice(self.token.as_bytes());
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// The last link of a chain of connectors.
impl<In: Transport> Connector<In> for Token {
    type Out = Sending<In>;

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|inner| Sending { inner, token: self.clone() }))
    }
}

/// A connection that sends the token for its stand-in.
#[derive(Debug)]
pub(super) struct Sending<T> {
    inner: T,
    token: Token,
}

impl<T: Transport> Transport for Sending<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if let Some(bytes) = self.inner.buffers().output().get_mut(..amount) {
            self.token.insert(bytes);
        }
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
