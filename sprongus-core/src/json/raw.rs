//! A look into canonical text without making a tree of it.

use std::borrow::Cow;

use memchr::memchr;

use super::numbers::string_end;
use crate::error::{Error, ErrorCode, Result};

/// Room for the members of most objects.
const USUAL: usize = 32;

/// A value of a canonical document: the part of its text that it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Raw<'t>(&'t str);

impl<'t> Raw<'t> {
    /// Of text that is known to be canonical: no spaces, keys in order, escapes where there must be one.
    pub(crate) fn of(canonical: &'t str) -> Self {
        Self(canonical)
    }

    /// The canonical text of this value alone.
    pub(crate) fn as_str(self) -> &'t str {
        self.0
    }

    /// Its first byte, which tells what it is: one of `"`, `{`, `[`, `t`, `f`, `n`, or a number's.
    pub(crate) fn first(self) -> u8 {
        self.0.as_bytes().first().copied().unwrap_or(b'n')
    }

    pub(crate) fn is_null(self) -> bool {
        self.first() == b'n'
    }

    /// Whether it is an object with members.
    pub(crate) fn has_members(self) -> bool {
        self.first() == b'{' && self.0 != "{}"
    }

    /// The text of a string; `None` of anything else.
    pub(crate) fn text(self) -> Option<Cow<'t, str>> {
        let bytes = self.0.as_bytes();
        let quoted = bytes.len() > 1 && bytes.first() == Some(&b'"') && bytes.last() == Some(&b'"');
        let inner = self.0.get(1..bytes.len().checked_sub(1)?).filter(|_| quoted)?;
        match memchr(b'\\', inner.as_bytes()).is_some() {
            false => Some(Cow::Borrowed(inner)),
            true => serde_json::from_str(self.0).ok().map(Cow::Owned),
        }
    }

    /// The members of an object all at once, for who goes through them more than once.
    ///
    /// # Errors
    /// `corrupt` where the text is no object, whoever stored it.
    pub(crate) fn object(self) -> Result<Vec<Member<'t>>> {
        let mut members = self.members();
        let mut all = Vec::with_capacity(USUAL);
        all.extend(members.by_ref());
        members.finish().map(|()| all)
    }

    /// The members of an object, in the order of their keys; of anything else there are none.
    pub(crate) fn members(self) -> Members<'t> {
        Members { text: self.0, at: 1, broken: self.first() != b'{' }
    }
}

/// A member of an object: its key, and what stands there.
pub(crate) type Member<'t> = (Cow<'t, str>, Raw<'t>);

/// Goes through the members of an object. [`finish`](Self::finish) tells whether there was an object at all.
pub(crate) struct Members<'t> {
    text: &'t str,
    at: usize,
    broken: bool,
}

impl<'t> Members<'t> {
    /// Where what was gone through ends, in bytes.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// # Errors
    /// `corrupt` where the text is no object, whoever stored it.
    pub(crate) fn finish(mut self) -> Result<()> {
        while self.next().is_some() {}
        match self.broken || self.text.get(self.at..) != Some("}") {
            true => Err(Error::new(ErrorCode::Corrupt, "a stored document is no JSON object in canonical form")),
            false => Ok(()),
        }
    }

    fn member(&mut self) -> Option<Member<'t>> {
        let bytes = self.text.as_bytes();
        let start = self.at + usize::from(bytes.get(self.at) == Some(&b','));
        let colon = if bytes.get(start) == Some(&b'"') { string_end(bytes, start + 1) } else { return None };
        let key = Raw(self.text.get(start..colon)?).text()?;
        let end = value_end(bytes, colon + 1);
        let value = self.text.get(colon + 1..end).filter(|value| !value.is_empty() && bytes[colon] == b':')?;
        self.at = end;
        Some((key, Raw(value)))
    }
}

impl<'t> Iterator for Members<'t> {
    type Item = Member<'t>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.broken || self.text.as_bytes().get(self.at) == Some(&b'}') {
            return None;
        }
        let member = self.member();
        self.broken = member.is_none();
        member
    }
}

/// Where the value that begins there ends.
fn value_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = string_end(bytes, at + 1),
            b'{' | b'[' => {
                depth += 1;
                at += 1;
                continue;
            }
            b'}' | b']' if depth > 0 => {
                depth -= 1;
                at += 1;
            }
            _ if depth > 0 => {
                at += 1;
                continue;
            }
            b',' | b':' | b'}' | b']' => return at,
            _ => {
                at += 1;
                continue;
            }
        }
        if depth == 0 {
            return at;
        }
    }
    at.min(bytes.len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;
    use crate::json::Json;

    fn read(raw: Raw<'_>) -> Value {
        if raw.first() == b'{' {
            let mut members = raw.members();
            let map = members.by_ref().map(|(key, value)| (key.into_owned(), read(value))).collect();
            members.finish().unwrap();
            return Value::Object(map);
        }
        raw.text().map_or_else(|| serde_json::from_str(raw.as_str()).unwrap(), |text| Value::from(text.into_owned()))
    }

    #[test]
    fn what_is_read_is_what_is_written() {
        for document in [
            json!({}),
            json!({"a": {}}),
            json!({"": {"": ""}, "a\"}": "b\\\",", "l": [{"x": "]"}, [], 1], "m": {"n": {"o": null}}, "z": -1.5e300}),
            json!({"t": true, "f": false, "i": 0, "u": "\u{1f}\n\u{7f}é🙂", "\u{1}\t": {"[": "{"}}),
        ] {
            assert_eq!(read(Raw::of(Json::from_value(&document).unwrap().as_str())), document);
        }
    }

    #[test]
    fn what_is_no_object_is_told() {
        for broken in [
            "",
            "{",
            "null",
            "[]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1",
            "{a:1}",
            "{\"a\":1}}",
            "{\"a\":\"x}",
            "{\"a\":1,}",
            "{\"\\q\":1}",
        ] {
            assert_eq!(Raw::of(broken).members().finish().unwrap_err().code(), ErrorCode::Corrupt, "{broken}");
        }
    }
}
