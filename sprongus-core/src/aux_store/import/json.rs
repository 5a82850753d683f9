//! JSON arrays and JSON lines as rows: each element is cut out by its brackets, then parsed strictly.

use std::io::{BufRead, Read};

use serde_json::{Map, Value};

use super::{BadRow, Content, ReadOptions, Row, broken, not_utf8, row_too_large, unreadable, violation};
use crate::error::{Result, Violation};
use crate::json::parse_value;

/// The rows of a file that holds one JSON object per line. Blank lines are passed over.
pub(super) struct LineRows<R> {
    input: R,
    options: ReadOptions,
    offset: u64,
    line: u64,
    number: u64,
    done: bool,
}

impl<R: BufRead> LineRows<R> {
    /// `offset` is where the input begins in its file.
    pub(super) fn new(input: R, offset: u64, options: ReadOptions) -> Self {
        Self { input, options, offset, line: 0, number: 0, done: false }
    }

    fn read_row(&mut self) -> Result<Option<Row>> {
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            let limit = self.options.max_row_bytes;
            self.line += 1;
            let read = self.input.by_ref().take(limit as u64 + 1).read_until(b'\n', &mut bytes).map_err(unreadable)?;
            if read == 0 {
                return Ok(None);
            }
            if read > limit {
                return Err(row_too_large(self.number + 1, self.line, limit));
            }
            let offset = self.offset;
            self.offset += read as u64;
            let text = std::str::from_utf8(&bytes).map_err(|_| not_utf8(&bytes, offset, self.line))?;
            if !text.trim_matches(is_space).is_empty() {
                self.number += 1;
                return Ok(Some(Row { number: self.number, value: object(text, self.number).map(Content::Tree) }));
            }
        }
    }
}

/// The rows of a file that is one JSON array of objects.
pub(super) struct ArrayRows<R> {
    bytes: Counted<R>,
    options: ReadOptions,
    number: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Before,
    Within,
    Done,
}

/// What ends an element.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Comma,
    Bracket,
}

impl<R: BufRead> ArrayRows<R> {
    /// `offset` is where the input begins in its file.
    pub(super) fn new(input: R, offset: u64, options: ReadOptions) -> Self {
        Self { bytes: Counted { input, offset, line: 1 }, options, number: 0, state: State::Before }
    }

    fn read_row(&mut self) -> Result<Option<Row>> {
        if self.state == State::Before {
            self.open()?;
        }
        if self.state == State::Done {
            return Ok(None);
        }
        let (offset, line) = (self.bytes.offset, self.bytes.line);
        let (element, end) = self.element(line)?;
        let text = std::str::from_utf8(&element).map_err(|_| not_utf8(&element, offset, line))?;
        if end == End::Bracket {
            self.close()?;
            if self.number == 0 && text.trim_matches(is_space).is_empty() {
                return Ok(None);
            }
        }
        self.number += 1;
        Ok(Some(Row { number: self.number, value: object(text, self.number).map(Content::Tree) }))
    }

    fn open(&mut self) -> Result<()> {
        match self.bytes.next_solid()? {
            Some(b'[') => {
                self.state = State::Within;
                Ok(())
            }
            Some(_) => Err(broken(
                "json",
                "the file does not begin with [: an array of objects is expected; one object per line is ndjson",
            )),
            None => Err(broken("json", "the file is empty; an array of objects is expected")),
        }
    }

    fn close(&mut self) -> Result<()> {
        self.state = State::Done;
        match self.bytes.next_solid()? {
            None => Ok(()),
            Some(_) => Err(broken("json", format!("something follows the array, on line {}", self.bytes.line))),
        }
    }

    /// The bytes up to the comma or bracket that ends the element: brackets and quotes are followed, all else is for the parser.
    fn element(&mut self, line: u64) -> Result<(Vec<u8>, End)> {
        let mut element = Vec::new();
        let (mut depth, mut quoted, mut escaped) = (0_u64, false, false);
        while let Some(byte) = self.bytes.next()? {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                _ if quoted => {}
                b',' if depth == 0 => return Ok((element, End::Comma)),
                b']' if depth == 0 => return Ok((element, End::Bracket)),
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            element.push(byte);
            if element.len() > self.options.max_row_bytes {
                return Err(row_too_large(self.number + 1, line, self.options.max_row_bytes));
            }
        }
        Err(broken(
            "json",
            format!("the file ends in row {}, which begins on line {line}, before the ] of its array", self.number + 1),
        ))
    }
}

/// Bytes one by one, and where they stand.
struct Counted<R> {
    input: R,
    offset: u64,
    line: u64,
}

impl<R: BufRead> Counted<R> {
    fn next(&mut self) -> Result<Option<u8>> {
        let byte = self.input.fill_buf().map_err(unreadable)?.first().copied();
        if let Some(byte) = byte {
            self.input.consume(1);
            self.offset += 1;
            self.line += u64::from(byte == b'\n');
        }
        Ok(byte)
    }

    fn next_solid(&mut self) -> Result<Option<u8>> {
        loop {
            let byte = self.next()?;
            if !byte.is_some_and(|byte| is_space(byte.into())) {
                return Ok(byte);
            }
        }
    }
}

impl<R: BufRead> Iterator for LineRows<R> {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let row = self.read_row().transpose();
        self.done = !matches!(row, Some(Ok(_)));
        row
    }
}

impl<R: BufRead> Iterator for ArrayRows<R> {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.state == State::Done {
            return None;
        }
        let row = self.read_row().transpose();
        if !matches!(row, Some(Ok(_))) {
            self.state = State::Done;
        }
        row
    }
}

fn object(text: &str, row: u64) -> Result<Map<String, Value>, BadRow> {
    match parse_value(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(vec![violation(row, "", "type", "a row is a JSON object")].into()),
        Err(error) => Err(error
            .violations_list()
            .into_iter()
            .map(|one| Violation { row: Some(row), ..one })
            .collect::<Vec<_>>()
            .into()),
    }
}

/// JSON's white space (RFC 8259 §2).
fn is_space(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\n' | '\r')
}
