//! JSON Pointers (RFC 6901): where in a document something stands.

use std::fmt::{self, Display, Write};

/// One step down into a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment<'a> {
    /// A member of an object.
    Key(&'a str),
    /// An element of an array, from 0.
    Index(usize),
}

impl Display for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "{index}"),
            Self::Key(key) => key.chars().try_for_each(|char| match char {
                '~' => f.write_str("~0"),
                '/' => f.write_str("~1"),
                other => f.write_char(other),
            }),
        }
    }
}

impl<'a> From<&'a str> for Segment<'a> {
    fn from(key: &'a str) -> Self {
        Self::Key(key)
    }
}

impl From<usize> for Segment<'_> {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// The pointer made of these steps; none is the document itself, "".
///
/// ```
/// use sprongus::json::pointer::{Segment, pointer};
/// assert_eq!(pointer([Segment::Key("a/b"), Segment::Index(0), Segment::Key("~")]), "/a~1b/0/~0");
/// ```
pub fn pointer<'a>(segments: impl IntoIterator<Item = impl Into<Segment<'a>>>) -> String {
    segments.into_iter().fold(String::new(), |mut path, segment| {
        push(&mut path, segment);
        path
    })
}

/// Goes one step further down.
pub fn push<'a>(path: &mut String, segment: impl Into<Segment<'a>>) {
    path.push('/');
    path.push_str(&segment.into().to_string());
}

/// A place on the way down through a document, kept on the stack: it costs nothing until an error asks for its pointer.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    at: Option<(&'a Place<'a>, Segment<'a>)>,
    /// How many steps down.
    pub(super) depth: usize,
}

impl<'a> Place<'a> {
    pub(super) const ROOT: Place<'static> = Place { at: None, depth: 0 };

    pub(super) fn child(&'a self, segment: impl Into<Segment<'a>>) -> Self {
        Self { at: Some((self, segment.into())), depth: self.depth + 1 }
    }

    pub(super) fn pointer(&self) -> String {
        let Some((parent, segment)) = self.at else { return String::new() };
        let mut path = parent.pointer();
        push(&mut path, segment);
        path
    }
}
