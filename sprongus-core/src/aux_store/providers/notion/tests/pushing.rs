//! What a push changes, and that it changes nothing twice.

use sprongus_testkit::Fault;

use super::*;
use crate::ErrorCode;

fn dune() -> Value {
    json!({ "id": "dune", "Name": "Dune", "Year": 1965, "Tags": ["sand", "spice"], "Done": true })
}

fn only_page(server: &NotionServer) -> Value {
    let pages = server.pages();
    assert_eq!(pages.len(), 1);
    pages[0].clone()
}

#[test]
fn created_updated_and_deleted() {
    let server = NotionServer::start(PROPERTIES);
    let mut notion = keyed(&server);
    push(&mut notion, &[dune(), json!({ "id": "emma" })], &[], &[]).unwrap();
    let mut all = pull(&mut notion).unwrap();
    let given = all[0].as_object_mut().unwrap();
    assert!(given.remove("lastUpdated").is_some() && given.remove("Number").is_some());
    assert_eq!(all[0], dune());
    // What is not in the document is emptied; what Notion computes is left to it.
    let update = json!({ "id": "dune", "Name": "Dune II", "Number": "T-99", "lastUpdated": "2020-01-01T00:00:00Z" });
    push(&mut notion, &[], &[update], &["emma", "nobody"]).unwrap();
    let all = pull(&mut notion).unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["Done", "Name", "Number", "id", "lastUpdated"]);
    assert_eq!((&all[0]["Name"], &all[0]["Done"]), (&json!("Dune II"), &json!(false)));
}

#[test]
fn the_same_again_changes_nothing() {
    let server = NotionServer::start(PROPERTIES);
    let mut notion = keyed(&server);
    for _ in 0..3 {
        push(&mut notion, &[dune()], &[json!({ "id": "emma", "Year": 1815 })], &["nobody"]).unwrap();
    }
    assert_eq!((server.pages().len(), asked(&server, "POST /v1/pages"), asked(&server, "PATCH")), (2, 2, 0));
    for _ in 0..2 {
        push(&mut notion, &[], &[], &["dune"]).unwrap();
    }
    assert_eq!((server.pages().len(), asked(&server, "PATCH")), (1, 1));
}

#[test]
fn what_stays_the_same_is_not_written() {
    let server = NotionServer::start(PROPERTIES);
    let bold = json!([{ "type": "text", "plain_text": "Dune", "annotations": { "bold": true } }]);
    let links: Value = (0..120).map(|n| json!({ "id": format!("link {n}") })).collect();
    server.add(
        &json!({ "Key": { "rich_text": text("dune") }, "Name": { "title": bold }, "Links": { "relation": links } }),
    );
    let mut ids: Vec<String> = (0..120).map(|n| format!("link {n}")).collect();
    let mut notion = keyed(&server);
    push(&mut notion, &[], &[json!({ "id": "dune", "Name": "Dune", "Links": ids, "Year": 1 })], &[]).unwrap();
    // More links than a request may hold: changed, they cannot be written.
    ids.pop();
    let error = push(&mut notion, &[], &[json!({ "id": "dune", "Links": ids })], &[]).unwrap_err();
    assert_eq!(error.violations_list()[0].path, "/Links");
    let page = only_page(&server);
    assert_eq!(page["properties"]["Name"]["title"], bold);
    assert_eq!(page["properties"]["Links"]["relation"].as_array().unwrap().len(), 120);
    assert_eq!(page["properties"]["Year"]["number"], 1);
}

#[test]
fn a_lost_answer_makes_no_second_page() {
    for fault in [Fault::CutAfter, Fault::DoneBut(500), Fault::DoneBut(503), Fault::DoneBut(504), Fault::DoneBut(409)] {
        let server = NotionServer::start(PROPERTIES);
        server.fail("POST /v1/pages", fault.clone());
        push(&mut keyed(&server), &[dune()], &[], &[]).unwrap();
        assert_eq!(
            (server.faults_left(), only_page(&server)["properties"]["Year"]["number"].as_i64()),
            (0, Some(1965)),
            "{fault:?}"
        );
    }
    for fault in
        [Fault::CutBefore, Fault::Status(503, None), Fault::Status(429, Some(0)), Fault::Answer("<html>".to_owned())]
    {
        let server = NotionServer::start(PROPERTIES);
        server.fail("POST /v1/pages", fault.clone());
        push(&mut keyed(&server), &[dune()], &[], &[]).unwrap();
        assert_eq!((server.faults_left(), asked(&server, "POST /v1/pages")), (0, 2), "{fault:?}");
        only_page(&server);
    }
}

#[test]
fn lost_answers_to_changes_do_no_harm() {
    let server = NotionServer::start(PROPERTIES);
    let mut notion = keyed(&server);
    push(&mut notion, &[dune()], &[], &[]).unwrap();
    server.fail("PATCH", Fault::CutAfter);
    push(&mut notion, &[], &[json!({ "id": "dune", "Name": "Dune II" })], &[]).unwrap();
    assert_eq!(only_page(&server)["properties"]["Name"]["title"][0]["plain_text"], "Dune II");
    // The second attempt finds the page in the trash, which is what was wanted.
    server.fail("PATCH", Fault::CutAfter);
    push(&mut notion, &[], &[], &["dune"]).unwrap();
    assert_eq!((server.pages().len(), server.faults_left()), (0, 0));
}

#[test]
fn without_an_id_property_pages_go_by_their_own_ids() {
    let server = NotionServer::start(PROPERTIES);
    let (first, second) = (server.add(&named("a")), server.add(&named("b")));
    let mut notion = notion(&server, json!({}));
    push(&mut notion, &[], &[json!({ "id": first, "Name": "A" })], &[&second]).unwrap();
    assert_eq!(only_page(&server)["properties"]["Name"]["title"][0]["plain_text"], "A");
    push(&mut notion, &[], &[], &[&second, "../users", "33333333-3333-4333-8333-333333333333"]).unwrap();
    // What was edited here and trashed there comes back.
    push(&mut notion, &[json!({ "id": second, "Name": "B" })], &[], &[]).unwrap();
    assert_eq!(server.pages().len(), 2);
    let error = push(&mut notion, &[json!({ "id": "made-here" })], &[], &[]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unsupported);
    assert!(error.message().contains("idProperty"), "{error}");
    assert_eq!((server.pages().len(), asked(&server, "POST /v1/pages")), (2, 0));
}

#[test]
fn pages_of_elsewhere_are_left_alone() {
    let server = NotionServer::start(PROPERTIES);
    let id = server.add(&named("a"));
    server.move_away(&id);
    let mut notion = notion(&server, json!({}));
    push(&mut notion, &[], &[], &[&id]).unwrap();
    assert_eq!(push(&mut notion, &[], &[json!({ "id": id })], &[]).unwrap_err().code(), ErrorCode::Unsupported);
    assert_eq!((server.pages().len(), asked(&server, "PATCH")), (1, 0));
}

#[test]
fn bad_documents_are_all_named_and_nothing_is_sent() {
    let server = NotionServer::start(PROPERTIES);
    let mut notion = keyed(&server);
    let wrong = [
        json!({ "id": "a", "Year": "1965", "Nobody": 1 }),
        json!({ "id": "b", "Name": ["x"] }),
        json!({ "Name": "without" }),
        json!({ "id": "c", "Tags": "x" }),
    ];
    let error = push(&mut notion, &[json!({ "id": "fine" }), wrong[0].clone(), wrong[1].clone()], &wrong[2..], &["x"])
        .unwrap_err();
    let named = error.violations_list();
    let named: Vec<_> = named.iter().map(|one| (one.id.as_deref(), one.path.as_str(), one.keyword.as_str())).collect();
    assert_eq!(
        named,
        [
            (Some("a"), "/Nobody", "additionalProperties"),
            (Some("a"), "/Year", "number"),
            (Some("b"), "/Name", "title"),
            (None, "/id", "required"),
            (Some("c"), "/Tags", "multi_select"),
        ]
    );
    assert_eq!((asked(&server, "POST"), asked(&server, "PATCH")), (0, 0));
    let numbered = json!({ "idProperty": "Year", "properties": { "Name": "Name" } });
    let mut numbered = super::notion(&server, numbered);
    for id in ["no number", "1.0", "1e3", "017", "9007199254740993"] {
        let error = push(&mut numbered, &[json!({ "id": id })], &[], &[]).unwrap_err();
        assert_eq!(error.violations_list()[0].path, "/id", "{id}");
    }
    assert!(server.pages().is_empty());
    push(&mut numbered, &[json!({ "id": "-17", "Name": "x" })], &[], &[]).unwrap();
    assert_eq!(pull(&mut numbered).unwrap()[0]["id"], "-17");
}

#[test]
fn texts_longer_than_a_text_object_go_and_come() {
    let server = NotionServer::start(PROPERTIES);
    let mut notion = keyed(&server);
    let long = "é🙂".repeat(10_000);
    push(&mut notion, &[json!({ "id": "long", "Notes": long })], &[], &[]).unwrap();
    assert_eq!(pull(&mut notion).unwrap()[0]["Notes"], long);
    let properties = json!({ "a": "Name", "b": "Notes" });
    let mut notion = super::notion(&server, json!({ "idProperty": "Key", "properties": properties }));
    let heavy = json!({ "id": "heavy", "a": "é".repeat(199_000), "b": "é".repeat(199_000) });
    assert_eq!(push(&mut notion, &[heavy], &[], &[]).unwrap_err().code(), ErrorCode::TooLarge);
}

#[test]
fn ids_are_told_apart_more_finely_than_notion_does() {
    let server = NotionServer::start(PROPERTIES);
    let mut notion = keyed(&server);
    push(&mut notion, &[json!({ "id": "dune", "Year": 1 }), json!({ "id": "DUNE", "Year": 2 })], &[], &[]).unwrap();
    assert_eq!(server.pages().len(), 2);
    push(&mut notion, &[], &[], &["DUNE"]).unwrap();
    assert_eq!(only_page(&server)["properties"]["Year"]["number"], 1);
}
