use super::support::settings;
use crate::db::postgres::PostgresDb;
use crate::db::postgres::redact;
use crate::db::postgres::url::parse;
use crate::error::ErrorCode;

#[test]
fn passwords_never_show() {
    for (url, shown) in [
        ("postgres://u:pw@h/d", "postgres://u:***@h/d"),
        ("postgres://u:p@w/x?y@h/d", "postgres://u:***@h/d"),
        ("postgresql://u@h:5/d", "postgresql://u@h:5/d"),
        ("postgres:///d?user=u&password=pw&host=/s", "postgres:///d?user=u&password=***&host=/s"),
        ("postgres:///d?PassWord=pw", "postgres:///d?PassWord=***"),
        ("host=h password=pw user=u", "host=h password=*** user=u"),
        ("host=h password = 'p w\\' x' user=u", "host=h password =*** user=u"),
        ("password='open", "password=***"),
        ("", ""),
    ] {
        assert_eq!(redact(url), shown);
    }
}

#[test]
fn urls_are_read_as_libpq_reads_them() {
    let config = parse("postgres://us%40er:p%2Fw@[::1]:7/da%20ta?application_name=mine", &settings()).unwrap();
    assert_eq!(config.get_user(), Some("us@er"));
    assert_eq!(config.get_password(), Some(b"p/w".as_slice()));
    assert_eq!(config.get_dbname(), Some("da ta"));
    assert_eq!(config.get_ports(), [7]);
    assert_eq!(config.get_application_name(), Some("mine"));
    assert_eq!(parse("dbname=d", &settings()).unwrap().get_hosts().len(), 1);
}

#[test]
fn what_cannot_be_is_refused_without_quoting_it() {
    for url in ["postgres://u:s3cret@h:port/d", "postgres://u:s3cret@h/d?s3cret=1", "nonsense s3cret"] {
        let error = PostgresDb::open(url, settings()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{url}");
        assert!(!format!("{error:?}").contains("s3cret"));
    }
    for url in ["postgres://h/d?sslmode=require", "host=h sslmode=verify-full"] {
        assert_eq!(PostgresDb::open(url, settings()).unwrap_err().code(), ErrorCode::Unsupported, "{url}");
    }
}
