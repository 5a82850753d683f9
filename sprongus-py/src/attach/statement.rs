//! SQL text as a driver takes it: `$n` in its own style, one statement at a time.

use sprongus::{Dialect, Error, Result};

/// A single statement in the driver's style.
pub(super) struct Statement {
    pub(super) sql: String,
    /// The highest n of its `$n`.
    highest: usize,
}

impl Statement {
    /// Refuses parameters that are too many or too few.
    pub(super) fn takes(&self, given: usize) -> Result<()> {
        if given == self.highest {
            return Ok(());
        }
        Err(Error::invalid(format!("{given} parameters were given, the SQL takes {}", self.highest)))
    }
}

/// What parameter n is called: SQLite's own `$n` without its sign, psycopg's `%(pn)s`.
pub(super) fn name(dialect: Dialect, n: usize) -> String {
    match dialect {
        Dialect::Sqlite => n.to_string(),
        Dialect::Postgres => format!("p{n}"),
    }
}

/// Reads one statement; `invalid_argument` where there are several.
pub(super) fn read(sql: &str, dialect: Dialect) -> Result<Statement> {
    let mut statement = Statement { sql: String::with_capacity(sql.len() + 16), highest: 0 };
    let mut ended = false;
    for piece in pieces(sql, dialect) {
        match piece {
            Piece::End => ended = true,
            Piece::Param(_) | Piece::Code(_) | Piece::Quoted(_) if ended && !piece.is_blank() => {
                return Err(Error::invalid("one statement at a time"));
            }
            Piece::Param(n) => {
                statement.highest = statement.highest.max(n);
                match dialect {
                    Dialect::Sqlite => statement.sql.push_str(&format!("${n}")),
                    Dialect::Postgres => statement.sql.push_str(&format!("%({})s", name(dialect, n))),
                }
            }
            // psycopg reads a percent sign anywhere, literals and comments included.
            Piece::Code(text) | Piece::Quoted(text) | Piece::Comment(text) => match dialect {
                Dialect::Sqlite => statement.sql.push_str(text),
                Dialect::Postgres => statement.sql.push_str(&text.replace('%', "%%")),
            },
        }
    }
    Ok(statement)
}

/// The statements of a script.
pub(super) fn split(sql: &str, dialect: Dialect) -> Vec<&str> {
    let (mut found, mut from, mut at, mut blank) = (Vec::new(), 0, 0, true);
    for piece in pieces(sql, dialect) {
        if matches!(piece, Piece::End) {
            if !blank {
                found.push(&sql[from..at]);
            }
            (from, blank) = (at + 1, true);
        }
        at += piece.len();
        blank &= piece.is_blank();
    }
    if !blank {
        found.push(&sql[from..]);
    }
    found
}

/// A part of SQL text.
#[derive(Debug, PartialEq, Clone, Copy)]
enum Piece<'a> {
    Code(&'a str),
    /// A literal or a quoted name.
    Quoted(&'a str),
    Comment(&'a str),
    Param(usize),
    /// A semicolon.
    End,
}

impl Piece<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Code(text) | Self::Quoted(text) | Self::Comment(text) => text.len(),
            Self::Param(n) => 1 + n.to_string().len(),
            Self::End => 1,
        }
    }

    fn is_blank(&self) -> bool {
        match self {
            Self::Code(text) => text.trim().is_empty(),
            Self::Comment(_) | Self::End => true,
            Self::Quoted(_) | Self::Param(_) => false,
        }
    }
}

fn pieces(sql: &str, dialect: Dialect) -> Vec<Piece<'_>> {
    let (mut found, mut rest, mut code) = (Vec::new(), sql, 0);
    while code < rest.len() {
        let (before, ahead) = rest.split_at(code);
        let Some(piece) = special(before, ahead, dialect) else {
            code += ahead.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        if !before.is_empty() {
            found.push(Piece::Code(before));
        }
        found.push(piece);
        rest = &ahead[piece.len()..];
        code = 0;
    }
    if !rest.is_empty() {
        found.push(Piece::Code(rest));
    }
    found
}

/// What begins at `ahead`, where it is not plain code.
fn special<'a>(before: &str, ahead: &'a str, dialect: Dialect) -> Option<Piece<'a>> {
    let postgres = dialect == Dialect::Postgres;
    let in_word = before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '$'));
    match ahead.as_bytes().first()? {
        b';' => Some(Piece::End),
        b'\'' if postgres && is_escape_string(before) => Some(Piece::Quoted(&ahead[..quoted(ahead, '\'', true)])),
        b'\'' => Some(Piece::Quoted(&ahead[..quoted(ahead, '\'', false)])),
        b'"' => Some(Piece::Quoted(&ahead[..quoted(ahead, '"', false)])),
        b'`' if !postgres => Some(Piece::Quoted(&ahead[..quoted(ahead, '`', false)])),
        b'[' if !postgres => Some(Piece::Quoted(&ahead[..ahead.find(']').map_or(ahead.len(), |end| end + 1)])),
        b'-' if ahead.starts_with("--") => Some(Piece::Comment(&ahead[..ahead.find('\n').unwrap_or(ahead.len())])),
        b'/' if ahead.starts_with("/*") => Some(Piece::Comment(&ahead[..comment(ahead, postgres)])),
        b'$' if !in_word => parameter(ahead).or_else(|| dollar_quoted(ahead).filter(|_| postgres)),
        _ => None,
    }
}

/// Whether an `E` of its own stands before the quote.
fn is_escape_string(before: &str) -> bool {
    let mut last = before.chars().rev();
    matches!(last.next(), Some('e' | 'E')) && !last.next().is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// The length of a quoted text; a doubled quote stands for itself.
fn quoted(text: &str, quote: char, escapes: bool) -> usize {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if escapes && c == '\\' {
            chars.next();
        } else if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return at + 1;
        }
    }
    text.len()
}

/// The length of a block comment; PostgreSQL's nest.
fn comment(text: &str, nests: bool) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        let ahead = &text.as_bytes()[at..];
        if ahead.starts_with(b"/*") && (nests || depth == 0) {
            depth += 1;
            at += 2;
        } else if ahead.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

fn parameter(text: &str) -> Option<Piece<'_>> {
    let digits = text[1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len() - 1);
    let number = &text[1..=digits];
    // `$01` is none of ours, and its length would not be its number's.
    (!number.starts_with('0')).then(|| number.parse().ok())?.map(Piece::Param)
}

fn dollar_quoted(text: &str) -> Option<Piece<'_>> {
    let end = text[1..].find('$')? + 2;
    let tag = &text[..end];
    if !tag[1..end - 1].chars().all(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let length = text[end..].find(tag).map_or(text.len(), |at| end + at + tag.len());
    Some(Piece::Quoted(&text[..length]))
}
