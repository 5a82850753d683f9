//! What a pull gives.

use super::*;
use crate::ErrorCode;

#[test]
fn pages_are_documents() {
    let server = NotionServer::start(PROPERTIES);
    let id = server.add(&json!({
        "Name": { "title": text("Dune") },
        "Notes": { "rich_text": [{ "type": "text", "plain_text": "so " }, { "type": "mention", "plain_text": "@far" }] },
        "Year": { "number": 1965 }, "Tags": { "multi_select": [{ "name": "sand" }] },
    }));
    server.add(&json!({}));
    let all = pull(&mut notion(&server, json!({}))).unwrap();
    assert_eq!(
        all[0],
        json!({
            "id": id, "lastUpdated": "2026-01-01T00:01:00.000Z", "Name": "Dune", "Notes": "so @far", "Year": 1965,
            "Done": false, "Tags": ["sand"], "Number": "T-1",
        })
    );
    // An empty property is a missing field.
    assert_eq!(all[1].as_object().unwrap().keys().collect::<Vec<_>>(), ["Done", "Number", "id", "lastUpdated"]);
    let chosen = json!({ "properties": { "title": "Name", "published": "Year" } });
    assert_eq!(
        pull(&mut notion(&server, chosen)).unwrap()[0],
        json!({ "id": id, "lastUpdated": "2026-01-01T00:01:00.000Z", "title": "Dune", "published": 1965 })
    );
}

#[test]
fn every_page_of_many_is_given_once() {
    let server = NotionServer::start(PROPERTIES);
    let ids: Vec<String> = (0..250).map(|n| server.add(&named(&n.to_string()))).collect();
    server.trash(&ids[7], true);
    let given = |all: Vec<Value>| all.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let mut left = ids.clone();
    left.remove(7);
    assert_eq!(given(pull(&mut notion(&server, json!({}))).unwrap()), left);
    assert_eq!(asked(&server, "POST /v1/data_sources"), 3);
    // Where one query gives less than there is, others go on after it.
    for limit in [240, 101, 99, 40, 3] {
        server.limit_queries(limit);
        assert_eq!(given(pull(&mut notion(&server, json!({}))).unwrap()), left, "{limit}");
    }
    // Two pages share each minute: a query of one of them cannot go on.
    server.limit_queries(1);
    assert_eq!(pull(&mut notion(&server, json!({}))).unwrap_err().code(), ErrorCode::Unsupported);
}

#[test]
fn a_pull_asks_as_it_is_read() {
    let server = NotionServer::start(PROPERTIES);
    (0..250).for_each(|n| drop(server.add(&named(&n.to_string()))));
    let mut notion = notion(&server, json!({}));
    assert_eq!(notion.pull("p", "t").unwrap().take(50).count(), 50);
    assert_eq!(asked(&server, "POST /v1/data_sources"), 1);
}

#[test]
fn long_lists_are_read_to_their_end() {
    let server = NotionServer::start(PROPERTIES);
    for count in [0, 25, 26, 130, 250] {
        let links: Value = (0..count).map(|n| json!({ "id": format!("link {n}") })).collect();
        let id = server.add(&json!({ "Links": { "relation": links } }));
        let all = pull(&mut notion(&server, json!({}))).unwrap();
        let page = all.iter().find(|one| one["id"] == id.as_str()).unwrap();
        assert_eq!(page.get("Links").map_or(0, |links| links.as_array().unwrap().len()), count);
        if count > 0 {
            assert_eq!(page["Links"][count - 1], format!("link {}", count - 1));
        }
    }
    assert!(asked(&server, "GET /v1/pages/00000004-0000-4000-8000-000000000000/properties/%3A") > 0);
}

#[test]
fn a_property_may_be_the_id() {
    let server = NotionServer::start(PROPERTIES);
    server.add(&json!({ "Key": { "rich_text": text("dune") }, "Year": { "number": 17 } }));
    let keyless = server.add(&json!({}));
    let all = pull(&mut keyed(&server)).unwrap();
    assert_eq!((&all[0]["id"], all[0].get("Key")), (&json!("dune"), None));
    assert_eq!(all[1]["id"], keyless.as_str());
    assert_eq!(pull(&mut notion(&server, json!({ "idProperty": "Year" }))).unwrap()[0]["id"], "17");
    assert_eq!(pull(&mut notion(&server, json!({ "idProperty": "Number" }))).unwrap()[1]["id"], "T-2");
    let second = server.add(&json!({ "Key": { "rich_text": text("dune") } }));
    let error = pull(&mut keyed(&server)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Validation);
    assert!(error.message().contains(&second) && error.message().contains("dune"), "{error}");
}

#[test]
fn profiles_that_fit_no_data_source_are_refused() {
    let server = NotionServer::start(&[("Name", "title"), ("id", "number"), ("Made", "created_time")]);
    for more in [
        json!({}),
        json!({ "properties": { "lastUpdated": "Name" } }),
        json!({ "properties": { "a": "Nobody" } }),
        json!({ "properties": { "a": "Name" }, "idProperty": "Nobody" }),
        json!({ "properties": { "a": "Name" }, "idProperty": "Made" }),
    ] {
        assert_eq!(pull(&mut notion(&server, more)).unwrap_err().code(), ErrorCode::InvalidArgument);
    }
    pull(&mut notion(&server, json!({ "properties": { "number": "id" } }))).unwrap();
    let by_source = json!({ "properties": {}, "database": null, "dataSource": NotionServer::DATA_SOURCE });
    server.data_sources(2);
    let error = pull(&mut notion(&server, json!({ "properties": {} }))).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(error.message().contains(NotionServer::DATA_SOURCE), "{error}");
    pull(&mut notion(&server, by_source)).unwrap();
    server.data_sources(0);
    assert_eq!(pull(&mut notion(&server, json!({}))).unwrap_err().code(), ErrorCode::NotFound);
    let elsewhere = json!({ "database": "33333333-3333-4333-8333-333333333333" });
    let error = pull(&mut notion(&server, elsewhere)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::NotFound);
    assert!(error.message().contains("share it"), "{error}");
}
