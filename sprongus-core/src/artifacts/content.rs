//! A content as it is to be kept: its bytes or where they are, its hash, its size.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::model::PutArtifact;
use crate::error::{Error, ErrorCode, Result};
use crate::text::check_text;

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";

/// The longest reference, in bytes: signed URLs are long.
const LONGEST_REF: usize = 4096;
/// The longest media type, in bytes: RFC 6838 §4.2 allows two names of 127, and parameters follow.
const LONGEST_MEDIA_TYPE: usize = 512;

/// The content of a request, judged.
#[derive(Debug)]
pub(super) struct Content<'p> {
    pub(super) media_type: &'p str,
    pub(super) bytes: Option<Cow<'p, [u8]>>,
    pub(super) reference: Option<&'p str>,
    pub(super) sha256: String,
    pub(super) size: i64,
}

impl<'p> Content<'p> {
    /// Judges what is to be kept; `max` is the largest content, in bytes.
    ///
    /// Errors: `invalid_argument`, `too_large`.
    pub(super) fn of(put: &'p PutArtifact, max: usize) -> Result<Self> {
        let media_type = put.media_type.as_deref();
        media_type.map_or(Ok(()), check_media_type)?;
        let (bytes, default): (Cow<'p, [u8]>, _) = match (&put.json, &put.text, &put.bytes, &put.reference) {
            (Some(json), None, None, None) => (json.as_str().as_bytes().into(), JSON),
            (None, Some(text), None, None) => (text.as_bytes().into(), TEXT),
            (None, None, Some(bytes), None) => (bytes.as_slice().into(), BYTES),
            (None, None, None, Some(reference)) => return elsewhere(put, reference),
            (None, None, None, None) => (b"null".as_slice().into(), JSON),
            _ => return Err(Error::invalid("an artifact has one content: json, text, bytes or ref")),
        };
        if bytes.len() > max {
            let message = format!(
                "the content has {} bytes; at most {max} are kept here: keep it elsewhere, and give its ref, sha256 and size",
                bytes.len()
            );
            return Err(Error::new(ErrorCode::TooLarge, message));
        }
        let (sha256, size) = (hex(&bytes), length(&bytes));
        expect(put, &sha256, size)?;
        Ok(Self { media_type: media_type.unwrap_or(default), bytes: Some(bytes), reference: None, sha256, size })
    }
}

/// A content that is kept elsewhere: what is told of it is taken, for nobody here can look.
fn elsewhere<'p>(put: &'p PutArtifact, reference: &'p str) -> Result<Content<'p>> {
    check_text("ref", reference, LONGEST_REF)?;
    let (Some(sha256), Some(size)) = (&put.sha256, put.size) else {
        return Err(Error::invalid("a ref comes with the sha256 and the size of what it leads to"));
    };
    if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Error::invalid("sha256 is 64 hexadecimal digits"));
    }
    if size < 0 {
        return Err(Error::invalid(format!("size is {size}; it must be 0 or more")));
    }
    Ok(Content {
        media_type: put.media_type.as_deref().unwrap_or(BYTES),
        bytes: None,
        reference: Some(reference),
        sha256: sha256.to_ascii_lowercase(),
        size,
    })
}

/// Holds a content against what its caller says of it.
fn expect(put: &PutArtifact, sha256: &str, size: i64) -> Result<()> {
    if put.sha256.as_ref().is_some_and(|told| !told.eq_ignore_ascii_case(sha256)) {
        return Err(Error::invalid("sha256 is not that of the content"));
    }
    match put.size.filter(|told| *told != size) {
        Some(told) => Err(Error::invalid(format!("size is {told}, but the content has {size} bytes"))),
        None => Ok(()),
    }
}

/// `type/subtype`, with or without parameters (RFC 9110 §8.3.1).
fn check_media_type(media_type: &str) -> Result<()> {
    check_text("mediaType", media_type, LONGEST_MEDIA_TYPE)?;
    let essence = media_type.split(';').next().unwrap_or_default().trim_end();
    let token = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/');
    match essence.split_once('/') {
        Some((kind, subtype)) if token(kind) && token(subtype) => Ok(()),
        _ => Err(Error::invalid("mediaType is type/subtype, as image/png, with or without parameters")),
    }
}

/// SHA-256 in lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn length(bytes: &[u8]) -> i64 {
    i64::try_from(bytes.len()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::json::Json;

    fn put() -> PutArtifact {
        PutArtifact::new("report", "a")
    }

    #[test]
    fn each_content_has_its_media_type() {
        let json = PutArtifact { json: Some(Json::parse(r#"{"b":"é","a":1}"#).unwrap()), ..put() };
        let text = PutArtifact { text: Some("é".to_owned()), ..put() };
        let bytes = PutArtifact { bytes: Some(vec![0, 255]), ..put() };
        for (put, media_type, kept) in [
            (&json, JSON, r#"{"a":1,"b":"é"}"#.as_bytes()),
            (&text, TEXT, "é".as_bytes()),
            (&bytes, BYTES, &[0, 255]),
            (&put(), JSON, b"null"),
        ] {
            let content = Content::of(put, 64).unwrap();
            assert_eq!((content.media_type, content.bytes.as_deref()), (media_type, Some(kept)));
            assert_eq!((content.sha256, content.size), (hex(kept), length(kept)));
        }
    }

    #[test]
    fn what_is_told_of_a_content_must_be_so() {
        let told = |sha256: Option<String>, size| PutArtifact { text: Some("abc".into()), sha256, size, ..put() };
        let right = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";
        Content::of(&told(Some(right.to_owned()), Some(3)), 64).unwrap();
        for wrong in [told(Some("0".repeat(64)), None), told(None, Some(4)), told(Some("x".to_owned()), None)] {
            assert_eq!(Content::of(&wrong, 64).unwrap_err().code(), ErrorCode::InvalidArgument);
        }
        assert_eq!(Content::of(&told(None, None), 2).unwrap_err().code(), ErrorCode::TooLarge);
    }

    #[test]
    fn media_types_have_two_parts() {
        for good in ["image/png", "text/html; charset=\"utf-8\"", "application/vnd.x+json", "text/plain ;a=b"] {
            check_media_type(good).unwrap();
        }
        for bad in ["", "png", "/", "a/", "/b", "a b/c", "a/b/c", "a/b\n", &format!("a/{}", "b".repeat(511))] {
            assert_eq!(check_media_type(bad).unwrap_err().code(), ErrorCode::InvalidArgument, "{bad:?}");
        }
    }
}
