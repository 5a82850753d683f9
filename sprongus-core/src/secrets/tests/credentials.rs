//! Credentials of every issuer known here, made up at run time: none of them stands in this file.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::paths;
use crate::error::ErrorCode;
use crate::json::Json;
use crate::secrets::detect::{refuse, refuse_shapes};

const HEX: &str = "0123456789abcdef";
const BASE32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const MIXED: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// That many characters of an alphabet.
fn some(alphabet: &str, count: usize) -> String {
    let alphabet: Vec<char> = alphabet.chars().collect();
    (0..count).map(|_| alphabet[fastrand::usize(..alphabet.len())]).collect()
}

fn jwt() -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", part(json!({"alg": "HS256"})), part(json!({"sub": "ann"})), some(MIXED, 43))
}

/// Each with the name of its issuer.
fn credentials() -> Vec<(&'static str, String)> {
    let begun = |begin: &str, alphabet, count| format!("{begin}{}", some(alphabet, count));
    let mut all = vec![
        ("aws", begun("AKIA", BASE32, 16)),
        ("aws session", begun("ASIA", BASE32, 16)),
        ("gitlab", begun("glpat-", MIXED, 20)),
        ("github fine-grained", format!("github_pat_{}_{}", some(MIXED, 22), some(MIXED, 59))),
        ("slack app", format!("xapp-1-{}-{}-{}", some(UPPER, 11), some("0123456789", 13), some(HEX, 64))),
        (
            "slack hook",
            format!("https://hooks.slack.com/services/T{}/B{}/{}", some(UPPER, 8), some(UPPER, 8), some(MIXED, 24)),
        ),
        ("stripe hook", begun("whsec_", MIXED, 32)),
        ("google", begun("AIza", MIXED, 35)),
        ("google oauth", begun("ya29.", MIXED, 60)),
        ("google client", begun("GOCSPX-", MIXED, 28)),
        ("openai", format!("sk-{}T3BlbkFJ{}", some(MIXED, 20), some(MIXED, 20))),
        ("openai project", begun("sk-proj-", MIXED, 48)),
        ("anthropic", begun("sk-ant-api03-", MIXED, 93)),
        ("openrouter", begun("sk-or-v1-", HEX, 64)),
        ("hugging face", begun("hf_", MIXED, 34)),
        ("npm", begun("npm_", MIXED, 36)),
        ("pypi", begun("pypi-AgEIcHlwaS5vcmc", MIXED, 60)),
        ("docker", begun("dckr_pat_", MIXED, 27)),
        ("notion", begun("ntn_", MIXED, 46)),
        ("notion, older", begun("secret_", MIXED, 43)),
        ("sendgrid", format!("SG.{}.{}", some(MIXED, 22), some(MIXED, 43))),
        ("digitalocean", begun("dop_v1_", HEX, 64)),
        ("shopify", begun("shpat_", HEX, 32)),
        ("linear", begun("lin_api_", MIXED, 40)),
        ("supabase", begun("sbp_", HEX, 40)),
        ("databricks", begun("dapi", HEX, 32)),
        ("vault", begun("hvs.", MIXED, 24)),
        ("age", begun("AGE-SECRET-KEY-1", UPPER, 58)),
        ("telegram", format!("{}:AA{}", some("123456789", 10), some(MIXED, 33))),
        ("jwt", jwt()),
        ("putty", "PuTTY-User-Key-File-3: ssh-ed25519".to_owned()),
        ("a header", format!("Bearer {}", some(MIXED, 30))),
        ("a header in a text", format!("curl -H 'Authorization: Basic {}'", some(MIXED, 30))),
        ("a header's jwt", format!("BEARER\t{}", jwt())),
        ("postgres", format!("postgresql://app:{}@db.example.org:5432/app", some(MIXED, 12))),
        ("no user", format!("redis://:{}@localhost/0", some(MIXED, 12))),
        ("a url in a text", format!("clone https://ann:{}@example.org/x.git first", some(MIXED, 12))),
        ("libpq", format!("host=db dbname=app user=app password={}", some(MIXED, 12))),
        ("ado", format!("Server=db;Database=app;User Id=app;Password={};", some(MIXED, 12))),
        ("jdbc", format!("jdbc:postgresql://db/app?user=app&password={}", some(MIXED, 12))),
        ("a query", format!("https://example.org/feed?lang=en&access_token={}", some(MIXED, 20))),
        ("azure storage", format!("DefaultEndpointsProtocol=https;AccountName=a;AccountKey={}==", some(MIXED, 86))),
        ("azure bus", format!("Endpoint=sb://x/;SharedAccessKeyName=r;SharedAccessKey={}=", some(MIXED, 43))),
    ];
    all.extend(["o", "p", "r", "s", "u"].map(|kind| ("github", begun(&format!("gh{kind}_"), MIXED, 36))));
    all.extend(["a", "b", "p", "r", "s"].map(|kind| ("slack", begun(&format!("xox{kind}-"), "0123456789", 24))));
    all.extend(["sk_live_", "rk_live_", "sk_test_"].map(|kind| ("stripe", begun(kind, MIXED, 24))));
    let pem = |kind: &str| format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", some(MIXED, 64));
    all.extend(
        [
            "RSA PRIVATE KEY",
            "PRIVATE KEY",
            "OPENSSH PRIVATE KEY",
            "EC PRIVATE KEY",
            "ENCRYPTED PRIVATE KEY",
            "PGP PRIVATE KEY BLOCK",
        ]
        .map(|kind| ("a private key", pem(kind))),
    );
    all
}

#[test]
fn every_issuers_credentials_are_found_wherever_they_stand() {
    for _ in 0..20 {
        for (issuer, credential) in credentials() {
            let within = format!("a line\nthen \"{credential}\"\n");
            let mut wanted = vec!["/a", "/b/0/c", ""];
            let mut document = json!({"a": credential, "b": [{"c": credential}], "n": 1, credential.clone(): 1});
            // A whole header is one; in a text its scheme is a word.
            if !issuer.starts_with("a header") {
                document["d"] = within.into();
                wanted.insert(2, "/d");
            }
            let mut found = paths(&document);
            found.sort();
            wanted.sort_unstable();
            assert_eq!(found, wanted, "{issuer}: {credential}");
            let refused = refuse(&Json::from_value(&document).unwrap()).unwrap_err();
            assert!(!format!("{refused:?}").contains(&credential), "{issuer}");
            let schema = Json::from_value(&json!({"properties": {"a": {"default": credential}}})).unwrap();
            assert_eq!(refuse_shapes(&schema).unwrap_err().code(), ErrorCode::SecretDetected);
            assert_eq!(paths(&json!({"a": {"$secret": credential}})), ["/a"], "a secret in the place of its name");
        }
    }
}

#[test]
fn texts_under_telling_keys_are_found() {
    let document = json!({
        "token": "x", "path": "/tmp/a.csv", "max_tokens": 5, "tokenizer": "x", "tokens": ["the", "cat"],
        "headers": {"Authorization": "x", "X-Api-Key": ["y", "", 7], "accept": "Bearer z"},
        "a/b": [{"url": "https://u:p@h/x"}, {"url": "https://h/u:p@x"}], "client_secret": {"$secret": "S"}, "password": "",
        "db": {"Password": "hunter2", "passwordHint": "a dog", "private_key": null, "secret": true},
        "nextPageToken": "CAUQAA", "credentials": {"user": "ann", "passwd": "x"}
    });
    let mut found = paths(&document);
    found.sort();
    let wanted = [
        "/a~1b/0/url",
        "/credentials/passwd",
        "/db/Password",
        "/headers/Authorization",
        "/headers/X-Api-Key/0",
        "/headers/accept",
        "/token",
    ];
    assert_eq!(found, wanted);
    let schema = json!({"properties": {"password": {"type": "string"}}, "dependentRequired": {"password": ["user"]}});
    refuse_shapes(&Json::from_value(&schema).unwrap()).unwrap();
}

#[test]
fn what_only_resembles_one_passes() {
    let sha = some(HEX, 64);
    let header = URL_SAFE_NO_PAD.encode(json!({"no": "header"}).to_string());
    let texts = [
        "Bearer",
        "Bearer bonds",
        "The standard bearer",
        "Basic Instinct",
        "sk-some-slug-of-many-words-that-goes-on-and-on",
        "task-force-of-the-north-and-of-the-south-and-all",
        "https://example.org/a:b@c",
        "mailto:ann@example.org",
        "postgres://app:***@db/app",
        "postgres://app:${PASSWORD}@db/app",
        "postgres://app@db/app",
        "postgres://app:@db/app",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ann@host",
        "password=",
        "the password is required",
        "how to set password=… in the shell",
        "AKIA",
        "ghp_short",
        "eyJhbGciOi",
        "arn:aws:iam::123456789012:role/reader",
        "https://example.org/?token_type=x&page=2",
        &sha,
        "if (password == null) throw",
        "pk_live_is_published_with_the_page",
        &format!("{header}.{header}.x"),
    ];
    for text in texts {
        assert_eq!(paths(&json!({"a": text})), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn depth_and_size_are_no_way_around() {
    let mut deep = json!({"token": "x"});
    for _ in 0..127 {
        deep = json!({"a": deep});
    }
    assert_eq!(paths(&deep), [format!("{}/token", "/a".repeat(127))]);
    let many: Vec<Value> =
        (0..10_000).map(|n| json!({"n": n, "t": "a text"})).chain([json!({"api-key": "k"})]).collect();
    assert_eq!(paths(&json!({"many": many})), ["/many/10000/api-key"]);
}
