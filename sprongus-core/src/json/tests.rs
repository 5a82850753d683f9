#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn keys_are_sorted_and_numbers_keep_their_kind() {
    let json = Json::parse("{\"b\":1e2,\"a\":[1,1.0,-0,-0.0,1e16,18446744073709551615]}").unwrap();
    assert_eq!(json.as_str(), "{\"a\":[1,1.0,0,0.0,1e16,18446744073709551615],\"b\":100.0}");
}
