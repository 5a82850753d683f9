//! What the HTTP client tells its log, at every level.

use std::cell::RefCell;
use std::sync::Once;

use log::{LevelFilter, Log, Metadata, Record};

use super::*;

thread_local! {
    static LINES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Keeps the lines of threads that want them.
struct Kept;

impl Log for Kept {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        LINES.with_borrow_mut(|lines| {
            if let Some(lines) = lines {
                lines.push(record.args().to_string());
            }
        });
    }

    fn flush(&self) {}
}

/// The bytes that a line shows in hexadecimal, two by two.
fn bytes(line: &str) -> Vec<u8> {
    let pairs = line.get(..39).into_iter().flat_map(|hex| hex.split(' ')).filter(|pair| pair.len() == 4);
    let byte = |hex: &str| u8::from_str_radix(hex, 16).ok();
    pairs.flat_map(|pair| [byte(&pair[..2]), byte(&pair[2..])]).flatten().collect()
}

#[test]
fn the_token_is_in_no_line_of_the_client() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        log::set_logger(&Kept).unwrap();
        log::set_max_level(LevelFilter::Trace);
    });
    let server = NotionServer::start(PROPERTIES);
    let mut notion = keyed(&server);
    LINES.set(Some(Vec::new()));
    push(&mut notion, &[json!({ "id": "dune" })], &[], &[]).unwrap();
    let lines = LINES.take().unwrap();
    let text =
        lines.join("\n") + &String::from_utf8_lossy(&lines.iter().flat_map(|line| bytes(line)).collect::<Vec<_>>());
    assert!(text.contains("authorization: Bearer "), "the client logs its bytes: {text}");
    assert!(!text.contains(NotionServer::TOKEN), "{text}");
    assert_eq!(server.pages().len(), 1, "and the token was sent");
}
