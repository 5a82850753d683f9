//! What goes wrong on the way, and how long it is borne.

use std::time::{Duration, Instant};

use sprongus_testkit::Fault;

use super::*;
use crate::ErrorCode;

#[test]
fn what_passes_is_borne() {
    let server = NotionServer::start(PROPERTIES);
    server.add(&named("a"));
    for fault in [
        Fault::Status(429, Some(0)),
        Fault::Status(529, Some(0)),
        Fault::Status(409, None),
        Fault::Status(500, None),
        Fault::Status(502, None),
        Fault::Status(503, None),
        Fault::Status(504, None),
        Fault::CutBefore,
        Fault::CutAfter,
        Fault::Answer("<html>".to_owned()),
    ] {
        for request in ["GET /v1/databases", "GET /v1/data_sources", "POST /v1/data_sources"] {
            server.fail(request, fault.clone());
        }
        assert_eq!(pull(&mut notion(&server, json!({}))).unwrap().len(), 1, "{fault:?}");
        assert_eq!(server.faults_left(), 0, "{fault:?}");
    }
}

#[test]
fn retry_after_is_waited_for() {
    let server = NotionServer::start(PROPERTIES);
    server.fail("GET /v1/databases", Fault::Status(429, Some(1)));
    let began = Instant::now();
    pull(&mut notion(&server, json!({}))).unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
    // Longer than a call should sleep: the run is tried again later instead.
    server.fail("GET /v1/databases", Fault::Status(429, Some(3600)));
    let began = Instant::now();
    let error = pull(&mut notion(&server, json!({}))).unwrap_err();
    assert_eq!((error.code(), error.retryable()), (ErrorCode::RateLimited, true));
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[test]
fn what_does_not_pass_is_an_error() {
    for (fault, code, tries) in [
        (Fault::Status(400, None), ErrorCode::Validation, 1),
        (Fault::Status(401, None), ErrorCode::PermissionDenied, 1),
        (Fault::Status(403, None), ErrorCode::PermissionDenied, 1),
        (Fault::Status(404, None), ErrorCode::NotFound, 1),
        (Fault::Status(418, None), ErrorCode::Unsupported, 1),
        (Fault::Status(501, None), ErrorCode::Unavailable, 1),
        (Fault::Redirect("http://127.0.0.1:9/".to_owned()), ErrorCode::Unsupported, 1),
        (Fault::Status(429, Some(0)), ErrorCode::RateLimited, 5),
        (Fault::Status(409, None), ErrorCode::Busy, 5),
        (Fault::Status(503, None), ErrorCode::Unavailable, 5),
        (Fault::CutBefore, ErrorCode::Unavailable, 5),
        (Fault::Answer("<html>".to_owned()), ErrorCode::Unavailable, 5),
    ] {
        let server = NotionServer::start(PROPERTIES);
        (0..5).for_each(|_| server.fail("GET /v1/data_sources", fault.clone()));
        let error = pull(&mut notion(&server, json!({}))).unwrap_err();
        assert_eq!((error.code(), 5 - server.faults_left()), (code, tries), "{fault:?}: {error}");
        assert_eq!(
            error.retryable(),
            !matches!(
                code,
                ErrorCode::Validation | ErrorCode::PermissionDenied | ErrorCode::NotFound | ErrorCode::Unsupported
            )
        );
    }
}

#[test]
fn a_failure_in_the_middle_ends_the_pull() {
    let server = NotionServer::start(PROPERTIES);
    (0..150).for_each(|n| drop(server.add(&named(&n.to_string()))));
    let mut notion = notion(&server, json!({}));
    let mut pulled = notion.pull("p", "t").unwrap();
    assert_eq!(pulled.by_ref().take(100).filter(Result::is_ok).count(), 100);
    server.fail("POST", Fault::Status(403, None));
    assert_eq!(pulled.next().unwrap().unwrap_err().code(), ErrorCode::PermissionDenied);
    assert!(pulled.next().is_none());
}

#[test]
fn the_token_is_in_no_error() {
    let server = NotionServer::start(PROPERTIES);
    let wrong = json!({ "token": "ntn_wrong-but-secret" });
    let errors = [
        pull(&mut notion(&server, wrong)).unwrap_err(),
        pull(&mut notion(&server, json!({ "baseUrl": "http://127.0.0.1:1" }))).unwrap_err(),
        {
            server.fail_saying("GET", 400, &format!("what is {}?", NotionServer::TOKEN));
            pull(&mut notion(&server, json!({}))).unwrap_err()
        },
    ];
    let codes = errors.each_ref().map(crate::Error::code);
    assert_eq!(codes, [ErrorCode::PermissionDenied, ErrorCode::Unavailable, ErrorCode::Validation]);
    for error in errors {
        let told = format!("{error:?} {error} {}", error.to_json());
        assert!(!told.contains("secret") && !told.contains(NotionServer::TOKEN), "{told}");
    }
}

#[test]
fn the_version_of_the_api_is_named() {
    let server = NotionServer::start(PROPERTIES);
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
    let status = |version: &str| {
        let url = format!("{}/v1/databases/{}", server.url(), NotionServer::DATABASE);
        let request = agent.get(url).header("Authorization", format!("Bearer {}", NotionServer::TOKEN));
        request.header("Notion-Version", version).call().unwrap().status().as_u16()
    };
    assert_eq!((status(super::super::client::VERSION), status("2022-06-28")), (200, 400));
}

#[test]
fn silence_ends_with_the_timeout() {
    let server = NotionServer::start(PROPERTIES);
    (0..5).for_each(|_| server.fail("GET", Fault::Silence));
    let began = Instant::now();
    let error = pull(&mut notion(&server, json!({ "timeout": 0.5 }))).unwrap_err();
    assert_eq!((error.code(), server.faults_left()), (ErrorCode::Unavailable, 0));
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn requests_are_paced() {
    let server = NotionServer::start(PROPERTIES);
    (0..300).for_each(|n| drop(server.add(&named(&n.to_string()))));
    let began = Instant::now();
    pull(&mut notion(&server, json!({ "requestsPerSecond": 10 }))).unwrap();
    // Five requests: four waits of a tenth of a second between them.
    assert_eq!(server.requests().len(), 5);
    assert!(began.elapsed() >= Duration::from_millis(400));
}

/// Whatever comes back, it is an error or a document.
#[test]
fn answers_of_any_shape_are_borne() {
    let deep = "[".repeat(100_000);
    let answers = [
        "",
        "null",
        "5",
        "\"x\"",
        "[]",
        "{}",
        deep.as_str(),
        "{\"results\":5}",
        "{\"results\":{}}",
        "{\"results\":[5,null,\"x\",[],{}]}",
        "{\"results\":[{\"object\":\"page\"}]}",
        "{\"results\":[{\"object\":\"page\",\"id\":5,\"properties\":{}}]}",
        "{\"results\":[{\"object\":\"page\",\"id\":\"x\",\"properties\":[]}]}",
        "{\"results\":[{\"object\":\"page\",\"id\":\"x\",\"properties\":{\"Name\":5,\"Year\":{\"type\":\"year\"}}}]}",
        "{\"results\":[],\"has_more\":true}",
        "{\"results\":[],\"has_more\":true,\"next_cursor\":5}",
        "{\"results\":[],\"request_status\":{\"type\":\"incomplete\"}}",
        "{\"object\":\"list\",\"results\":[5,null]}",
        "{\"data_sources\":[{}]}",
        "{\"properties\":{\"Key\":5,\"Name\":null}}",
    ];
    let requests = [
        "GET /v1/databases",
        "GET /v1/data_sources",
        "POST /v1/data_sources",
        "GET /v1/pages",
        "POST /v1/pages",
        "PATCH",
    ];
    for (answer, request) in answers.iter().flat_map(|answer| requests.map(|request| (*answer, request))) {
        let server = NotionServer::start(PROPERTIES);
        let links: Value = (0..30).map(|n| json!({ "id": n.to_string() })).collect();
        server.add(&json!({ "Key": { "rich_text": text("dune") }, "Links": { "relation": links } }));
        (0..5).for_each(|_| server.fail(request, Fault::Answer(answer.to_owned())));
        let mut notion = keyed(&server);
        let _ = pull(&mut notion).map(|all| assert!(all.iter().all(Value::is_object)));
        let _ = push(&mut notion, &[json!({ "id": "new" })], &[json!({ "id": "dune", "Year": 1 })], &["dune"]);
    }
}
