//! As much of PostgreSQL's protocol 3.0 as a proxy needs (manual: "Frontend/Backend Protocol", "Message Formats").

use std::collections::HashMap;
use std::io::{self, Read};

/// One message, with the bytes to forward.
#[derive(Debug)]
pub(crate) struct Message {
    /// The type byte; 0 for a start-up packet, which has none.
    pub(crate) kind: u8,
    pub(crate) bytes: Vec<u8>,
}

impl Message {
    /// A start-up packet: startup, SSL request, GSS request or cancel request.
    pub(crate) fn read_startup(from: &mut impl Read) -> io::Result<Self> {
        let mut bytes = vec![0; 4];
        from.read_exact(&mut bytes)?;
        read_body(from, &mut bytes, 0)?;
        Ok(Self { kind: 0, bytes })
    }

    /// Any later message.
    pub(crate) fn read(from: &mut impl Read) -> io::Result<Self> {
        let mut bytes = vec![0; 5];
        from.read_exact(&mut bytes)?;
        read_body(from, &mut bytes, 1)?;
        Ok(Self { kind: bytes[0], bytes })
    }

    /// Whether this start-up packet asks for encryption: answered with a single byte, then another packet follows.
    pub(crate) fn asks_encryption(&self) -> bool {
        const SSL: u32 = 80_877_103;
        const GSS: u32 = 80_877_104;
        let code = self.bytes.get(4..8).and_then(|code| code.try_into().ok()).map(u32::from_be_bytes);
        matches!(code, Some(SSL | GSS))
    }

    /// The body's text from that string on, strings being NUL-terminated.
    fn string(&self, index: usize) -> String {
        let body = self.bytes.get(5..).unwrap_or_default();
        let found = body.split(|byte| *byte == 0).nth(index).unwrap_or_default();
        String::from_utf8_lossy(found).into_owned()
    }
}

/// The length counts itself and the body, not the type byte.
fn read_body(from: &mut impl Read, bytes: &mut Vec<u8>, at: usize) -> io::Result<()> {
    let length = u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize;
    let body = length.checked_sub(4).ok_or(io::ErrorKind::InvalidData)?;
    let start = bytes.len();
    bytes.resize(start + body, 0);
    from.read_exact(&mut bytes[start..])
}

/// Follows a client's prepared statements and portals, to know what each message runs.
#[derive(Debug, Default)]
pub(crate) struct Statements {
    prepared: HashMap<String, String>,
    portals: HashMap<String, String>,
}

impl Statements {
    /// The SQL this message makes the server run, if it does.
    pub(crate) fn run_by(&mut self, message: &Message) -> Option<String> {
        match message.kind {
            b'Q' => Some(message.string(0)),
            b'P' => {
                self.prepared.insert(message.string(0), message.string(1));
                None
            }
            b'B' => {
                let sql = self.prepared.get(&message.string(1)).cloned().unwrap_or_default();
                self.portals.insert(message.string(0), sql);
                None
            }
            b'E' => self.portals.get(&message.string(0)).cloned(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Message {
        let mut bytes = vec![kind];
        bytes.extend((body.len() as u32 + 4).to_be_bytes());
        bytes.extend(body);
        Message::read(&mut bytes.as_slice()).unwrap()
    }

    #[test]
    fn a_query_runs_its_text() {
        assert_eq!(Statements::default().run_by(&message(b'Q', b"COMMIT\0")).as_deref(), Some("COMMIT"));
    }

    #[test]
    fn an_execute_runs_what_its_portal_was_bound_to() {
        let mut statements = Statements::default();
        assert_eq!(statements.run_by(&message(b'P', b"s1\0SELECT 1\0\0\0")), None);
        assert_eq!(statements.run_by(&message(b'B', b"p1\0s1\0\0\0\0\0\0\0")), None);
        assert_eq!(statements.run_by(&message(b'E', b"p1\0\0\0\0\0")).as_deref(), Some("SELECT 1"));
    }

    #[test]
    fn a_length_below_its_own_size_is_refused() {
        assert!(Message::read(&mut [b'Q', 0, 0, 0, 3].as_slice()).is_err());
    }
}
