//! One look over a text for all beginnings of what is searched for: most documents hold none, and each is looked over.

/// Bytes of a beginning that are looked at.
const WIDTH: usize = 4;

/// Where one of many patterns may begin.
///
/// Look-ups that do not wait for one another take a fraction of the time of an automaton, which goes from state to state.
pub(super) struct Scan {
    /// For each byte of a beginning, which patterns may have it there, a bit each.
    places: [[u64; 256]; WIDTH],
    /// A bit for each pair of bytes that one may begin with: most of a text is passed over by these alone.
    pairs: [u64; 1 << 10],
}

impl Scan {
    /// Of patterns, each with its bit and the bytes that it may begin with; after the last there may be any.
    pub(super) fn new(patterns: impl Iterator<Item = (u64, Vec<Vec<u8>>)>) -> Self {
        let mut scan = Self { places: [[0; 256]; WIDTH], pairs: [0; 1 << 10] };
        for (bit, beginning) in patterns {
            for (nth, place) in scan.places.iter_mut().enumerate() {
                match beginning.get(nth) {
                    Some(bytes) => bytes.iter().for_each(|byte| place[usize::from(*byte)] |= bit),
                    None => place.iter_mut().for_each(|bits| *bits |= bit),
                }
            }
        }
        for pair in 0..=u16::MAX {
            let [first, second] = pair.to_be_bytes().map(usize::from);
            let may = scan.places[0][first] & scan.places[1][second] != 0;
            scan.pairs[usize::from(pair >> 6)] |= u64::from(may) << (pair & 63);
        }
        scan
    }

    /// Whether `sure` says so of some place where one of these patterns may begin, by the bits of those that may.
    pub(super) fn any(&self, text: &str, of: u64, sure: impl Fn(u64, &str) -> bool) -> bool {
        let bytes = text.as_bytes();
        for (at, pair) in bytes.windows(2).enumerate() {
            let pair = u16::from_be_bytes([pair[0], pair[1]]);
            if self.pairs[usize::from(pair >> 6)] >> (pair & 63) & 1 == 0 {
                continue;
            }
            let bits = of & self.bits(&bytes[at..]);
            // Every pattern begins with an ASCII character, so the rest is text.
            if bits != 0 && text.get(at..).is_some_and(|rest| sure(bits, rest)) {
                return true;
            }
        }
        false
    }

    fn bits(&self, rest: &[u8]) -> u64 {
        let [first, second, third, fourth] = &self.places;
        // At the end there are fewer bytes than a beginning has; a pattern may be as short.
        let [a, b, c, d] = match *rest {
            [a, b, c, d, ..] => [a, b, c, d],
            [a, b, c] => [a, b, c, 0],
            [a, b] => [a, b, 0, 0],
            _ => [0; WIDTH],
        }
        .map(usize::from);
        first[a] & second[b] & third[c] & fourth[d]
    }
}

/// The bytes that a word begins with, in any casing.
pub(super) fn of_word(word: &str) -> Vec<Vec<u8>> {
    word.bytes().map(|byte| vec![byte.to_ascii_lowercase(), byte.to_ascii_uppercase()]).collect()
}

/// The bytes that a match of a pattern begins with, as far as they are told by single characters and sets of them.
pub(super) fn of_pattern(pattern: &str) -> Vec<Vec<u8>> {
    let (mut rest, mut beginning) = (pattern.as_bytes(), Vec::new());
    while let Some((bytes, after)) = atom(rest) {
        match after.first() {
            // It may be missing.
            Some(b'?' | b'*') => break,
            Some(b'{') if after.get(1) == Some(&b'0') => break,
            // What comes after the first of them is not known.
            Some(b'{' | b'+') => {
                beginning.push(bytes);
                break;
            }
            _ => beginning.push(bytes),
        }
        rest = after;
    }
    beginning
}

/// The first character of a pattern, or the first set of them, and what is after it.
fn atom(pattern: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    match pattern {
        [b'\\', escaped, after @ ..] if escaped.is_ascii_punctuation() => Some((vec![*escaped], after)),
        [b'[', b'^', ..] | [b'(' | b')' | b'|' | b'.' | b'^' | b'$' | b'\\', ..] | [] => None,
        [b'[', set @ ..] => {
            let end = set.iter().position(|byte| *byte == b']')?;
            Some((members(&set[..end])?, &set[end + 1..]))
        }
        [byte, after @ ..] => Some((vec![*byte], after)),
    }
}

/// The members of a set without escapes.
fn members(mut set: &[u8]) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        set = match set {
            [] => return Some(all),
            [b'\\' | b'[', ..] => return None,
            [from, b'-', to, after @ ..] => {
                all.extend(*from..=*to);
                after
            }
            [byte, after @ ..] => {
                all.push(*byte);
                after
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_are_read_off_patterns() {
        let told = |pattern| -> Vec<String> {
            of_pattern(pattern).into_iter().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
        };
        assert_eq!(told("gh[ops]_[A-Za-z]{36}")[..4], ["g", "h", "ops", "_"]);
        assert_eq!(told("a[b-d_-]{3}e"), ["a", "bcd_-"]);
        assert_eq!(told("a\\.b?c"), ["a", "."]);
        assert_eq!(told("sk-(?:a|b)"), ["s", "k", "-"]);
        assert_eq!(told("://[^a]x"), [":", "/", "/"]);
        assert!(told("(?:a|b)c").is_empty() && told(".a").is_empty() && told("").is_empty() && told("a*").is_empty());
    }

    #[test]
    fn what_may_begin_is_asked_for_to_the_very_end() {
        let scan = Scan::new([(1, of_word("ab")), (2, of_pattern("abcdef"))].into_iter());
        for (text, found) in [("", false), ("a", false), ("xaB", true), ("é ab", true), ("abé", true), ("ba", false)]
        {
            assert_eq!(scan.any(text, 1, |_, rest| rest.get(..2).is_some()), found, "{text}");
        }
        assert!(scan.any("xabcd", 2, |bits, rest| bits == 2 && rest == "abcd") && !scan.any("abc", 2, |_, _| true));
    }
}
