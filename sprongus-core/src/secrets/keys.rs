//! Keys under which a text is a credential, in any casing and with any separators.

use super::shapes;

/// What such a key ends with, in lower case and without separators.
const ENDS: &[&str] = &[
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "credential",
    "authorization",
    "jwt",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "signingkey",
    "encryptionkey",
    "masterkey",
    "accountkey",
];

/// Ends of keys that are none all the same: places in a list of pages, and words of a language model's vocabulary.
const HARMLESS: &[&str] = &[
    "pagetoken",
    "nexttoken",
    "cursortoken",
    "continuationtoken",
    "paginationtoken",
    "bostoken",
    "eostoken",
    "padtoken",
    "unktoken",
    "septoken",
    "clstoken",
    "masktoken",
    "stoptoken",
    "specialtoken",
];

/// Many of them in a list; `tokens` alone are words more often.
const PLURALS: &[&str] = &["passwords", "credentials", "apikeys", "accesstokens", "refreshtokens", "authtokens"];

/// What each of [`ENDS`] holds, whatever divides its words: one of these, …
const ALONE: [&str; 6] = ["token", "secret", "pwd", "credential", "authorization", "jwt"];
/// … or one of these with a key behind it, …
const OF_KEYS: [&str; 7] = ["api", "access", "private", "signing", "encryption", "master", "account"];
/// … or `pass` with one of these.
const OF_PASS: [&str; 3] = ["word", "wd", "phrase"];

/// Texts that say something about a credential and are none.
const WORDS: &[&str] = &["true", "false", "yes", "no", "on", "off", "none", "null", "required", "optional"];

/// The words that such a key has in it begin with one of these.
pub(super) fn beginnings() -> impl Iterator<Item = &'static str> {
    ALONE.into_iter().chain(OF_KEYS).chain(["pass"])
}

/// Whether a text begins with words that make such a key.
pub(super) fn begin(text: &str) -> bool {
    let text = text.as_bytes();
    let is = |text: &[u8], word: &str| {
        text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word.as_bytes()))
    };
    let both = |first: &str, seconds: &[&str]| {
        is(text, first) && {
            let after = &text[first.len()..];
            let divided = |byte: &&u8| byte.is_ascii_punctuation() || **byte == b' ';
            let gap = after.iter().take(2).take_while(divided).count();
            seconds.iter().any(|second| is(&after[gap..], second))
        }
    };
    ALONE.iter().any(|word| is(text, word))
        || OF_KEYS.iter().any(|first| both(first, &["key"]))
        || both("pass", &OF_PASS)
}

/// Whether a text under that key is a credential, if it is not an obvious other thing.
pub(super) fn is_credential(key: &str) -> bool {
    if !shapes::may_hold_key(key) {
        return false;
    }
    let key: String = key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let key = key.trim_end_matches(|last: char| last.is_ascii_digit());
    let ends = |ends: &[&str]| ends.iter().any(|end| key.ends_with(end));
    ends(PLURALS) || (ends(ENDS) && !ends(HARMLESS))
}

/// Whether that text under such a key is obviously none: nothing, a word about one, a mask, a place where one is put in.
pub(super) fn is_obviously_none(key: &str, text: &str) -> bool {
    let text = text.trim();
    text.is_empty()
        || WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
        || is_placeholder(text)
        || text.eq_ignore_ascii_case(key)
        || is_prose(key, text)
}

/// `***`, `<token>`, `[secret]`, `${TOKEN}`, `{{ token }}`.
pub(super) fn is_placeholder(text: &str) -> bool {
    let within = |begin, end| text.len() > 2 && text.starts_with(begin) && text.ends_with(end);
    text.chars().all(|one| matches!(one, '*' | '•'))
        || within("<", ">")
        || within("[", "]")
        || within("${", "}")
        || within("{{", "}}")
}

/// Several words: only of a password may that be the thing itself.
fn is_prose(key: &str, text: &str) -> bool {
    let key = key.to_ascii_lowercase();
    !(key.contains("pass") || key.contains("authorization")) && text.split_whitespace().count() > 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_count_in_any_casing_and_with_any_separators() {
        let credentials = "token access_token accessToken ACCESS-TOKEN X-Api-Key api.key apiKey APIKEY client_secret \
            db-password password2 PassWord userPasswd pass_phrase Authorization proxy-authorization private_key \
            PrivateKey credentials aws_secret_access_key id.jwt DB_PWD api_keys";
        for key in credentials.split_whitespace() {
            assert!(is_credential(key), "{key}");
        }
        let others = "max_tokens tokens tokenizer token_count token_type nextPageToken eos_token password_hint \
            password_hash passwordless secretary author authority key public_key primary_key idempotency_key keyboard \
            passenger compass keys token.id authorization_url credentials_note secret_name";
        for key in others.split_whitespace().chain(["", "トークン"]) {
            assert!(!is_credential(key), "{key}");
        }
    }

    #[test]
    fn what_is_obviously_none_passes() {
        for text in
            ["", " ", "none", "True", "***", "<token>", "[secret]", "${TOKEN}", "${{ secrets.T }}", "a secret of state"]
        {
            assert!(is_obviously_none("token", text), "{text}");
        }
        assert!(is_obviously_none("password", "Password"));
        for text in ["x", "hunter2", "correct horse battery staple", "*a*", "<", "[]"] {
            assert!(!is_obviously_none("password", text), "{text}");
        }
        assert!(!is_obviously_none("authorization", "Digest username=a realm=b response=c"));
    }

    #[test]
    fn every_end_is_looked_for() {
        for end in ENDS.iter().chain(PLURALS) {
            assert!(shapes::may_hold_key(end), "{end}");
        }
    }
}
