//! Texts that are credentials whatever their key: issuers make theirs known by a prefix and a length.
//!
//! Lengths are those the issuers document or have always given, as lower bounds where they leave room to grow.

use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regex::Regex;
use serde_json::Value;

use super::keys::{self, is_placeholder};
use super::scan::{Scan, of_pattern, of_word};
use crate::fork::made_once;

/// Tokens that begin a word.
const TOKENS: &[&str] = &[
    // Amazon: ids of access keys.
    "AKIA[A-Z2-7]{16}",
    "ASIA[A-Z2-7]{16}",
    // GitHub and GitLab.
    "gh[opusr]_[A-Za-z0-9]{36}",
    "github_pat_[A-Za-z0-9_]{22}",
    "glpat-[A-Za-z0-9_-]{20}",
    // Slack: tokens, and addresses to which anybody may post.
    "xox[abeoprs]-[A-Za-z0-9-]{10}",
    "xapp-[0-9]-[A-Za-z0-9-]{20}",
    "hooks\\.slack\\.com/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{20}",
    // Stripe; its `pk_` are public.
    "[rs]k_(?:live|test)_[A-Za-z0-9]{16}",
    "whsec_[A-Za-z0-9+/]{24}",
    // Google.
    "AIza[A-Za-z0-9_-]{35}",
    "ya29\\.[A-Za-z0-9_-]{20}",
    "GOCSPX-[A-Za-z0-9_-]{28}",
    // OpenAI, Anthropic, and others who took up the prefix. Without dashes where nothing else sets them apart from words.
    "sk-(?:(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20}|ant-[a-z0-9]+-[A-Za-z0-9_-]{20}|or-v1-[0-9a-f]{64}|[A-Za-z0-9]{32})",
    // Hugging Face, npm, PyPI, Docker, Notion, SendGrid, DigitalOcean, Shopify, Linear, Supabase, Databricks, Vault, age.
    "hf_[A-Za-z0-9]{34}",
    "npm_[A-Za-z0-9]{36}",
    "pypi-AgE[A-Za-z0-9_-]{50}",
    "dckr_pat_[A-Za-z0-9_-]{27}",
    "ntn_[A-Za-z0-9]{40}",
    "secret_[A-Za-z0-9]{43}",
    "SG\\.[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{43}",
    "do[opr]_v1_[0-9a-f]{64}",
    "shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
    "lin_api_[A-Za-z0-9]{40}",
    "sbp_[0-9a-f]{40}",
    "dapi[0-9a-f]{32}",
    "hvs\\.[A-Za-z0-9_-]{24}",
    "AGE-SECRET-KEY-1[A-Z0-9]{58}",
];

/// What may stand within a text: private keys, headers, keys in connection strings, tokens of Telegram.
const WITHIN: &[&str] = &[
    "-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
    "PuTTY-User-Key-File-[0-9]:",
    "uthorization: *(?:[Bb]earer|[Bb]asic|[Tt]oken) +[A-Za-z0-9+/=._~-]{8}",
    "AccountKey=[A-Za-z0-9+/]{40}",
    "SharedAccessKey=[A-Za-z0-9+/]{40}",
    ":AA[A-Za-z0-9_-]{33}",
];

/// What is looked at more closely then. What holds a password or a parameter by name is found by that: see [`keys`].
const CLOSER: &[&str] = &[r"eyJ[A-Za-z0-9_-]{8,}\.eyJ", URL, "[Bb]earer", "BEARER"];

/// A JSON Web Token: a header, claims, and a signature that may be missing (RFC 7519).
const JWT: &str = r"\b(eyJ[A-Za-z0-9_-]{8,})\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*";

/// `scheme://user:password@host` (RFC 3986, 3.2.1).
const URL: &str = r#"://[^\s/?#"@]*:([^\s/?#"]+)@"#;

/// A credential among the parameters of a URL.
const QUERY: &str = r"(?i)://\S*[?&](?:access_token|api_?key|client_secret|password|passwd|pwd)=([^&\s]+)";

/// `password=…` in a connection string, with another parameter before or after it.
const PASSWORD: &str = r#"(?i)(?:^|[\s;?&])(?:password|passwd|pwd)=([^\s;&]+)"#;
const PARAMETER: &str = r"(?i)(?:^|[\s;?&:])(?:host|hostaddr|port|server|address|data source|dbname|database|initial catalog|user|uid|username|user id)\s*=";

/// The whole text is what an Authorization header holds. A word is none: there are standard bearers.
const BEARER: &str = r"^\s*(?:[Bb]earer|BEARER)\s+(?:[A-Za-z]{1,2}|\S*[^A-Za-z\s]\S*|[A-Za-z]{20,})\s*$";

struct Shapes {
    /// Where one may begin in whatever text, escaped JSON included, or a key under which any text is one.
    scan: Scan,
    /// Whether one may indeed, of a text that begins there.
    quick: Regex,
    sure: Regex,
    jwt: Regex,
    url: Regex,
    query: Regex,
    password: Regex,
    parameter: Regex,
    bearer: Regex,
}

static SHAPES: OnceLock<Option<Shapes>> = OnceLock::new();

fn shapes() -> Option<&'static Shapes> {
    made_once(&SHAPES, || Shapes::compiled().ok()).as_ref()
}

impl Shapes {
    fn compiled() -> Result<Self, regex::Error> {
        let words = TOKENS.iter().map(|token| format!(r"(?-u:\b){token}"));
        let sure: Vec<String> = words.chain(WITHIN.iter().map(|&text| text.to_owned())).collect();
        let quick = [TOKENS, WITHIN, CLOSER].concat();
        Ok(Self {
            scan: scan(&quick),
            quick: Regex::new(&format!(r"\A(?:{})", quick.join("|")))?,
            sure: Regex::new(&sure.join("|"))?,
            jwt: Regex::new(JWT)?,
            url: Regex::new(URL)?,
            query: Regex::new(QUERY)?,
            password: Regex::new(PASSWORD)?,
            parameter: Regex::new(PARAMETER)?,
            bearer: Regex::new(BEARER)?,
        })
    }

    fn has_jwt(&self, text: &str) -> bool {
        self.jwt.captures_iter(text).any(|found| is_header(&found[1]))
    }

    /// A password in it that is not masked.
    fn has_password(&self, text: &str) -> bool {
        let plain = |shape: &Regex| shape.captures_iter(text).any(|found| !is_placeholder(&found[1]));
        plain(&self.url) || plain(&self.query) || (plain(&self.password) && self.parameter.is_match(text))
    }
}

/// The bits of [`Scan`]: of the keys, of a URL, and of all others.
const OF_KEYS: u64 = (1 << 16) - 1;
const OF_URL: u64 = 1 << 16;
const OF_OTHERS: u64 = !(OF_URL | OF_KEYS);

fn scan(quick: &[&str]) -> Scan {
    // Those that share a bit are taken for one another.
    let keys = keys::beginnings().enumerate().map(|(nth, word)| (1 << (nth % 16), of_word(word)));
    let others = quick
        .iter()
        .enumerate()
        .map(|(nth, pattern)| (if *pattern == URL { OF_URL } else { 1 << (17 + nth % 47) }, of_pattern(pattern)));
    Scan::new(keys.chain(others))
}

impl Shapes {
    fn may_hold(&self, text: &str, of: u64) -> bool {
        self.scan.any(text, of, |bits, rest| {
            (bits & OF_KEYS != 0 && keys::begin(rest))
                || ((bits & OF_OTHERS != 0 || (bits & OF_URL != 0 && may_have_user(rest))) && self.quick.is_match(rest))
        })
    }
}

/// Whether a user may stand before the host of a URL, whose `://` the text begins with.
fn may_have_user(text: &str) -> bool {
    let end = text.bytes().skip(3).find(|byte| matches!(byte, b'@' | b'/' | b'?' | b'#' | b'"' | b' '));
    end == Some(b'@')
}

/// Whether that JSON text may hold a credential, by a key or by its shape: if not, nothing in it is one.
pub(super) fn may_hold(json: &str) -> bool {
    shapes().is_none_or(|shapes| shapes.may_hold(json, OF_URL | OF_KEYS | OF_OTHERS))
}

/// Whether that text may hold a key under which a text is a credential.
pub(super) fn may_hold_key(text: &str) -> bool {
    shapes().is_none_or(|shapes| shapes.may_hold(text, OF_KEYS))
}

/// Whether a text is or holds a credential by its shape.
pub(super) fn is_shaped(text: &str) -> bool {
    shapes().is_some_and(|shapes| {
        shapes.may_hold(text, OF_URL | OF_KEYS | OF_OTHERS)
            && (shapes.sure.is_match(text)
                || shapes.has_jwt(text)
                || shapes.has_password(text)
                || shapes.bearer.is_match(text))
    })
}

/// Whether that is the header of a JSON Web Token.
fn is_header(part: &str) -> bool {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok();
    let header = bytes.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    header.is_some_and(|header| header.get("alg").is_some_and(Value::is_string))
}

/// As [`may_hold`], by regular expressions alone.
#[cfg(test)]
pub(super) fn may_hold_by_expressions(text: &str) -> bool {
    use regex::RegexSet;
    const KEYS: &str = r"(?i-u)token|secret|pass[[:punct:] ]{0,2}(?:word|wd|phrase)|pwd|credential|authorization|jwt|(?:api|access|private|signing|encryption|master|account)[[:punct:] ]{0,2}key";
    static ALL: OnceLock<Option<RegexSet>> = OnceLock::new();
    let all = || RegexSet::new([TOKENS, WITHIN, CLOSER, &[KEYS]].concat()).ok();
    ALL.get_or_init(all).as_ref().is_none_or(|all| all.is_match(text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use proptest::string::string_regex;

    use super::*;

    const KEYS: &str = "(?:token|Secret|pass[!-/_ ]{0,3}(?:word|Wd|phrase)|PWD|credential|AuthoriZation|jwt|\
                        (?:api|Access|private|signing|encryption|master|account)[-_. ]{0,3}[kK]ey)";

    /// What each pattern matches, or nearly.
    fn nearly() -> impl Strategy<Value = String> {
        let all: Vec<String> =
            [TOKENS, WITHIN, CLOSER, &[KEYS]].concat().iter().map(|one| one.replace(r"\s", " ")).collect();
        let one = prop::sample::select(all).prop_flat_map(|pattern| string_regex(&pattern).unwrap());
        (one, any::<prop::sample::Index>(), 0..4_u8, any::<char>()).prop_map(|(text, at, how, with)| {
            let mut text: Vec<char> = text.chars().collect();
            let at = at.index(text.len());
            match how {
                0 => text[at] = with,
                1 => drop(text.remove(at)),
                2 => text.truncate(at),
                _ => {}
            }
            text.into_iter().collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn what_is_scanned_for_is_what_the_expressions_say(before in "\\PC{0,6}", text in nearly(), after in "[a-z:/@\"-]{0,6}") {
            let text = format!("{before}{text}{after}");
            prop_assert_eq!(may_hold(&text), may_hold_by_expressions(&text), "{}", text);
        }
    }

    #[test]
    fn every_pattern_tells_what_it_begins_with() {
        for pattern in [TOKENS, WITHIN, CLOSER].concat() {
            let beginning = of_pattern(pattern);
            assert!(beginning.len() > 2 && beginning.iter().flatten().all(u8::is_ascii), "{pattern}");
        }
    }
}
