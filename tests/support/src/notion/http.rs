//! As much of HTTP/1.1 as a client with `Content-Length` needs.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value;

/// A request as it came.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    /// Without the query.
    pub(super) path: String,
    pub(super) query: BTreeMap<String, String>,
    /// By their names in small letters.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Value,
    pub(super) length: usize,
}

impl Request {
    /// The next request of the connection; none at its end.
    pub(super) fn read(stream: &TcpStream) -> Option<Self> {
        let mut input = BufReader::new(stream);
        let mut line = String::new();
        input.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let mut words = line.split_whitespace();
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            input.read_line(&mut line).ok().filter(|read| *read > 0)?;
            match line.trim_end().split_once(':') {
                Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.trim().to_owned()),
                None => break,
            };
        }
        let length = headers.get("content-length").map_or(0, |length| length.parse().expect("a length"));
        let mut body = vec![0; length];
        input.read_exact(&mut body).ok()?;
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).expect("a JSON body") };
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let pair = |pair: &str| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        let query = query.split('&').filter_map(pair).collect();
        Some(Self { method, path: path.to_owned(), query, headers, body, length })
    }

    /// `METHOD /path`.
    pub(super) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// Sends an answer; whether the client took it.
pub(super) fn send(mut stream: &TcpStream, status: u16, headers: &[(&str, String)], body: &str) -> bool {
    let more: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    // In one piece: the second of two would wait for the first to be acknowledged.
    let answer = format!(
        "HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\n{more}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).is_ok()
}

/// Waits until the client goes.
pub(super) fn wait_for_end(mut stream: &TcpStream) {
    while stream.read(&mut [0; 64]).is_ok_and(|read| read > 0) {}
}
