//! Texts that are credentials whatever their key: issuers make theirs known by a prefix and a length.
//!
//! Lengths are those the issuers document or have always given, as lower bounds where they leave room to grow.

use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regex::Regex;
use serde_json::Value;

use super::keys::{self, is_placeholder};
use crate::fork::made_once;

/// Tokens that begin a word.
const TOKENS: &[&str] = &[
    // Amazon: ids of access keys.
    "(?:AKIA|ASIA)[A-Z2-7]{16}",
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
const CLOSER: &[&str] = &[r"eyJ[A-Za-z0-9_-]{8,}\.eyJ", URL, "[Bb]earer|BEARER"];

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
    /// Of whatever text, escaped JSON included: whether it may hold one.
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
            quick: Regex::new(&quick.join("|"))?,
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

/// Whether that JSON text may hold what is a credential by its shape: if not, and not [`keys::may_hold`], none of its texts is.
pub(super) fn may_hold(json: &str) -> bool {
    shapes().is_none_or(|shapes| shapes.quick.is_match(json))
}

/// Whether a text is or holds a credential by its shape.
pub(super) fn is_shaped(text: &str) -> bool {
    shapes().is_some_and(|shapes| {
        (shapes.quick.is_match(text) || keys::may_hold(text))
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
