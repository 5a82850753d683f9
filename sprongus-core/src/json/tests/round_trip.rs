//! What goes into JSONB comes back as the same document.

use proptest::prelude::*;

use super::*;

fn finite() -> impl Strategy<Value = f64> {
    any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |float| float.is_finite())
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        finite().prop_map(Value::from),
        (-400_i64..400).prop_map(|n| Value::from(n as f64 * 0.5)),
        "[^\0]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec(("[^\0]{0,5}", inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn floats_come_back_from_jsonb(float in finite()) {
        let json = Json::from_value(&json!(float)).unwrap();
        let stored = json.for_jsonb();
        prop_assert!(stored.contains('.') && !stored.contains('e'), "{stored}");
        let back = Json::from_database(&stored).unwrap();
        prop_assert_eq!(back.to_value().as_f64(), Some(float));
        prop_assert_eq!(back, json);
    }

    #[test]
    fn documents_come_back_from_jsonb(value in document()) {
        let json = Json::from_value(&value).unwrap();
        prop_assert_eq!(&Json::from_database(&json.for_jsonb()).unwrap(), &json);
        prop_assert_eq!(&Json::parse(json.as_str()).unwrap(), &json);
        prop_assert_eq!(&Json::from_serialize(&value).unwrap(), &json);
        prop_assert_eq!(json.to_value(), value);
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(json) = Json::parse(&bytes) {
            prop_assert!(serde_json::from_slice::<Value>(&bytes).is_ok());
            prop_assert_eq!(&Json::parse(json.as_str()).unwrap(), &json);
        }
    }

    #[test]
    fn text_made_of_json_s_own_characters_is_answered(text in r#"[\[\]{}",:0-9eE.+\-\\u ntrf]{0,40}"#) {
        if let Ok(json) = Json::parse(&text) {
            prop_assert_eq!(&Json::from_database(&json.for_jsonb()).unwrap(), &json);
        }
    }
}

#[test]
fn only_numbers_are_rewritten_for_jsonb() {
    for (text, stored) in [
        (r#"{"1e16":"1e16 \" 1e5","a":1e16}"#, r#"{"1e16":"1e16 \" 1e5","a":10000000000000000.0}"#),
        ("[-1.5e-7,true,false,1e-5]", "[-0.00000015,true,false,0.00001]"),
        ("[1,1.0,10000000000000000]", "[1,1.0,10000000000000000]"),
        (r#""\\""#, r#""\\""#),
    ] {
        assert_eq!(Json::parse(text).unwrap().for_jsonb(), stored);
    }
}
