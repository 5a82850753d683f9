//! What an SQL expression says, however it is written: PostgreSQL gives constraints, indexes and views back in words of its own.

/// Words that one writes and another leaves out.
const SILENT: [&str; 12] = ["and", "any", "array", "as", "asc", "btree", "from", "in", "is", "or", "select", "using"];

/// Names, literals and comparisons in their order; without parentheses, casts and the words of lists.
pub(super) fn tokens(sql: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut rest = sql.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' => literal(rest),
            ':' if rest.starts_with("::") => 2 + word(&rest[2..]),
            '"' => rest[1..].find('"').map_or(rest.len(), |at| at + 2),
            _ if is_word(first) => word(rest),
            '<' | '>' | '!' => rest.find(|char| !"<>=!".contains(char)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        let escaped = matches!(token, "e" | "E") && after.starts_with('\'');
        match first {
            '\'' => tokens.push(visible(token)),
            // `table.column`: the column is enough.
            _ if (is_word(first) || first == '"') && after.starts_with('.') => {}
            _ if escaped => {}
            _ if is_word(first) || "<>!\"".contains(first) => {
                let token = token.trim_matches('"').to_ascii_lowercase();
                if !SILENT.contains(&token.as_str()) {
                    tokens.push(token);
                }
            }
            _ => {}
        }
        rest = after.trim_start();
    }
    tokens
}

/// The same where the order says nothing: of checks, of the rows of a partial index.
pub(super) fn set(sql: &str) -> String {
    let mut tokens = tokens(sql);
    tokens.sort_unstable();
    tokens.dedup();
    tokens.join(" ")
}

/// A character that cannot be seen is written `\x01` by one and as it is by the other.
fn visible(literal: &str) -> String {
    if literal.contains('\\') || literal.contains(char::is_control) { "'?'".to_owned() } else { literal.to_owned() }
}

/// Bytes of the literal in front, its quotes included.
fn literal(text: &str) -> usize {
    let mut quotes = text.match_indices('\'').skip(1).peekable();
    while let Some((at, _)) = quotes.next() {
        match quotes.peek() {
            Some((next, _)) if *next == at + 1 => drop(quotes.next()),
            _ => return at + 1,
        }
    }
    text.len()
}

fn word(text: &str) -> usize {
    text.find(|char| !is_word(char)).unwrap_or(text.len())
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_in_other_words_is_the_same() {
        for (ours, theirs) in [
            ("state IN ('a', 'it''s')", "((state = ANY (ARRAY['a'::text, 'it''s'::text])))"),
            ("state = 'queued' AND NOT ready", "((state = 'queued'::text) AND (NOT ready))"),
            ("project_id || E'\\x01' || kind", "(((project_id || '\u{1}'::text) || kind))"),
            ("coalesce(project_id, '')", "COALESCE(project_id, ''::text)"),
            ("SELECT a, b FROM t", " SELECT t.a,\n    t.b\n   FROM t;"),
        ] {
            assert_eq!(set(ours), set(theirs));
        }
        for (one, other) in [
            ("state = 'queued' AND ready", "state = 'queued' AND NOT ready"),
            ("n >= 1", "n > 1"),
            ("n >= 1", "n >= 0"),
            ("a IS NULL", "a IS NOT NULL"),
            ("a IN ('x', 'y')", "a IN ('x')"),
        ] {
            assert_ne!(set(one), set(other));
        }
        assert_ne!(tokens("a, b DESC"), tokens("b DESC, a"));
    }
}
