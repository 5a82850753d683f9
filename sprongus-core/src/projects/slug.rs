//! Slugs: what a project is called in addresses and paths.

use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization;

use crate::db::Executor;
use crate::error::{Error, Result};

/// The longest slug, in bytes.
const MOST: usize = 64;
/// The longest that is made from a name: a number may follow.
const MADE: usize = 48;
/// Where nothing of a name can be kept.
const NAMELESS: &str = "project";

/// Refuses what is no slug.
pub(super) fn check(slug: &str) -> Result<()> {
    let letters =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if slug.len() <= MOST && slug.split('-').all(letters) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the slug must have 1 to {MOST} of a-z and 0-9, with single hyphens between them, such as spring-catalogue"
    )))
}

/// A slug from a name: letters without their accents, in lower case, a hyphen for whatever stands between words.
pub(super) fn made_from(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.nfkd().flat_map(char::to_lowercase) {
        match letter {
            'a'..='z' | '0'..='9' => slug.push(letter),
            'ß' => slug.push_str("ss"),
            'æ' => slug.push_str("ae"),
            'œ' => slug.push_str("oe"),
            'þ' => slug.push_str("th"),
            'ø' => slug.push('o'),
            'ł' => slug.push('l'),
            'đ' | 'ð' => slug.push('d'),
            'ı' => slug.push('i'),
            // An apostrophe and a combining mark are within a word.
            '\'' | '\u{2019}' | '\u{300}'..='\u{36f}' => {}
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
        if slug.len() >= MADE {
            break;
        }
    }
    slug.truncate(MADE);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { NAMELESS.to_owned() } else { slug.to_owned() }
}

/// The first of `base`, `base-2`, `base-3`, … that no project has.
pub(super) fn free(exec: &mut dyn Executor, base: &str) -> Result<String> {
    // '.' comes after '-': all that begin with `base-` lie between.
    let sql = "SELECT slug FROM sprongus_projects WHERE slug = $1 OR (slug > $1 || '-' AND slug < $1 || '.')";
    let rows = exec.query(sql, &[base.into()])?;
    let taken = rows.iter().map(|row| row.text(0)).collect::<Result<HashSet<_>>>()?;
    if !taken.contains(base) {
        return Ok(base.to_owned());
    }
    let numbered = (2..).map(|number: u64| format!("{base}-{number}")).find(|slug| !taken.contains(slug));
    Ok(numbered.unwrap_or_else(|| base.to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_becomes_a_slug() {
        for (name, slug) in [
            ("Spring Catalogue", "spring-catalogue"),
            ("  Ångström’s  Æther — Straße №5 ", "angstroms-aether-strasse-no5"),
            ("Łódź / Ørsted", "lodz-orsted"),
            ("日本語", "project"),
            ("…", "project"),
            ("a", "a"),
            ("-A--B-", "a-b"),
        ] {
            assert_eq!(made_from(name), slug, "{name}");
        }
        for name in ["x".repeat(500), "ß".repeat(300), "a ".repeat(200), "ﷺ".repeat(40)] {
            check(&made_from(&name)).unwrap();
        }
    }

    #[test]
    fn what_is_no_slug_is_refused() {
        for slug in ["a", "0", "a-b", "a1-2b", &"x".repeat(64)] {
            check(slug).unwrap();
        }
        for slug in ["", "-", "a-", "-a", "a--b", "A", "ä", "a b", "a_b", "a\0", &"x".repeat(65)] {
            assert!(check(slug).is_err(), "{slug:?}");
        }
    }
}
