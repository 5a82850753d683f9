//! `where`, order, limit and offset: the same rows in the same order on both databases.

use sprongus::tables::{
    Cell, Cells, Column, ColumnType, CountRows, Index, OrderBy, QueryRows, TableSchema, Tables, Test,
};
use sprongus::{ErrorCode, Value};
use sprongus_conformance::{Backend, Case, Env};

use super::{EVERY, create, every, json, number, puts, row, text, violations};
use crate::runs::code;

pub(super) fn cases() -> Vec<Case> {
    let case = |name, covers, transactional, run| Case { name, covers, transactional, run };
    vec![
        case("tables::where_is_equality_in_every_type", &["tables.count"], true, equality),
        case("tables::where_with_null_and_lists", &[], true, nulls_and_lists),
        case("tables::documents_are_equal_as_filters_have_it", &[], true, documents),
        case("tables::what_no_row_can_hold_is_refused", &[], true, refused),
        case("tables::order_is_the_same_everywhere", &[], true, order),
        case("tables::documents_have_an_order", &[], true, order_of_documents),
        case("tables::limit_and_offset", &[], true, window),
        case("tables::a_query_walks_its_index", &[], false, planned),
    ]
}

/// The ids of the rows that pass, in their order.
fn ids(on: Tables<'_>, query: &QueryRows) -> Vec<i64> {
    let rows = on.query(query).unwrap();
    let counted = on.count(&CountRows { name: query.name.clone(), filter: query.filter.clone() }).unwrap();
    if query.limit.is_none() && query.offset == 0 {
        assert_eq!(counted, u64::try_from(rows.len()).unwrap());
    }
    let id = |row: &Cells| match row.get("id") {
        Some(Cell::Int(id)) => *id,
        other => panic!("{other:?}"),
    };
    rows.iter().map(id).collect()
}

fn with(tests: Vec<(&str, Test)>) -> QueryRows {
    QueryRows { filter: tests.into_iter().collect(), ..QueryRows::new("t") }
}

/// `every` with a key of integers.
fn keyed() -> TableSchema {
    let schema = every();
    TableSchema { columns: std::iter::once(number("id").primary_key()).chain(schema.columns).collect(), ..schema }
}

fn equality(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        create(on, keyed());
        let values: [(ColumnType, [Cell; 2]); 7] = [
            (ColumnType::Text, ["a".into(), "A".into()]),
            (ColumnType::Integer, [7.into(), (-7).into()]),
            (ColumnType::Real, [0.1.into(), 0.2.into()]),
            (ColumnType::Blob, [vec![1, 2].into(), vec![1].into()]),
            (ColumnType::Json, [json(r#"{"a":"x"}"#), json(r#"{"a":"X"}"#)]),
            (ColumnType::Bigint, [i64::MAX.into(), (i64::MAX - 1).into()]),
            (ColumnType::Boolean, [true.into(), false.into()]),
        ];
        let rows = [0, 1].map(|at: usize| {
            values.iter().fold(row(&[("id", i64::try_from(at).unwrap().into())]), |row, (holds, cells)| {
                row.with(holds.as_str(), cells[at].clone())
            })
        });
        puts(on, rows.to_vec()).unwrap();
        for (holds, cells) in &values {
            for (at, cell) in (0..).zip(cells) {
                assert_eq!(ids(on, &with(vec![(holds.as_str(), cell.clone().into())])), [at], "{holds:?}");
            }
        }
        assert_eq!(ids(on, &with(vec![("integer", Cell::Real(7.0).into())])), [0]);
        assert_eq!(ids(on, &with(vec![("blob", json(r#"{"$bytes":"AQI="}"#).into())])), [0]);
        assert_eq!(ids(on, &with(vec![("json", json(r#"{"$bytes":"AQI="}"#).into())])), [0; 0]);
        let all: Vec<(&str, Test)> =
            values.iter().map(|(holds, cells)| (holds.as_str(), cells[1].clone().into())).collect();
        assert_eq!(ids(on, &with(all.clone())), [1], "every test is passed");
        let mut but_one = all;
        but_one[0].1 = "a".into();
        assert_eq!(ids(on, &with(but_one)), [0; 0]);
        assert_eq!(ids(on, &with(vec![])), [0, 1]);
    });
}

fn nulls_and_lists(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        create(on, keyed());
        let rows = (0..4).map(|id: i64| match id {
            3 => row(&[("id", id.into())]),
            _ => row(&[
                ("id", id.into()),
                ("text", id.to_string().into()),
                ("integer", id.into()),
                ("real", (id as f64 / 2.0).into()),
                ("blob", vec![u8::try_from(id).unwrap()].into()),
                ("json", json(&format!("[\"{id}\"]"))),
                ("bigint", id.into()),
                ("boolean", (id > 0).into()),
            ]),
        });
        puts(on, rows.collect()).unwrap();
        for holds in EVERY {
            let column = holds.as_str();
            let of = |test: Test| ids(on, &with(vec![(column, test)]));
            assert_eq!(of(Cell::Null.into()), [3], "{column}");
            assert_eq!(of(json("null").into()), [3], "{column}");
            assert_eq!(of(Test::In(vec![])), [0; 0], "{column}");
            assert_eq!(of(Test::In(vec![Cell::Null, Cell::Null])), [3], "{column}");
        }
        let any = |column, cells: Vec<Cell>| ids(on, &with(vec![(column, Test::In(cells))]));
        assert_eq!(any("text", vec!["2".into(), "0".into(), "9".into()]), [0, 2]);
        assert_eq!(any("text", vec!["2".into(), Cell::Null]), [2, 3]);
        assert_eq!(any("integer", vec![1.into(), 1.into(), Cell::Real(2.0)]), [1, 2]);
        assert_eq!(any("real", vec![0.5.into(), 1.into(), Cell::Null]), [1, 2, 3]);
        assert_eq!(any("blob", vec![vec![0].into(), json(r#"{"$bytes":"Ag=="}"#)]), [0, 2]);
        assert_eq!(any("json", vec![json(r#"["1"]"#), Cell::Null]), [1, 3], "an array is written in an array");
        assert_eq!(any("boolean", vec![false.into(), Cell::Null]), [0, 3]);
        assert_eq!(any("id", (0..10_000).map(Cell::from).collect()), [0, 1, 2, 3]);
        let too_many = with(vec![("id", Test::any_of(0..5_000)), ("bigint", Test::any_of(0..5_001))]);
        assert_eq!(code(on.query(&too_many)), ErrorCode::TooLarge);
    });
}

fn documents(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        create(on, keyed());
        let documents = [
            "1",
            "1.0",
            "1.5",
            "\"1\"",
            "true",
            "[1,[2.0]]",
            "[1.0,[2]]",
            r#"{"a":1,"b":{"c":[]}}"#,
            r#"{"b":{"c":[]},"a":1.0}"#,
            "9007199254740993",
            "9007199254740992.0",
            "1e16",
            "10000000000000000",
            "9223372036854775808",
            "9.223372036854775808e18",
            "18446744073709551615",
            "[]",
            "{}",
            "\"\"",
            "0",
            "-0.0",
            "1e-7",
            r#"{"a":"%_\\"}"#,
        ];
        let rows =
            (0..).zip(documents).map(|(id, document): (i64, _)| row(&[("id", id.into()), ("json", json(document))]));
        puts(on, rows.chain([row(&[("id", 99.into())])]).collect()).unwrap();
        let found = |document: &str| ids(on, &with(vec![("json", Test::Is(json(document)))]));
        let of = |document: &str| ids(on, &with(vec![("json", Test::In(vec![json(document)]))]));
        for (document, expected) in [
            ("1", vec![0, 1]),
            ("1.0", vec![0, 1]),
            ("1.5", vec![2]),
            ("\"1\"", vec![3]),
            ("true", vec![4]),
            ("[1,[2]]", vec![5, 6]),
            (r#"{"b":{"c":[]},"a":1}"#, vec![7, 8]),
            ("9007199254740993", vec![9]),
            ("9007199254740992", vec![10]),
            ("1e16", vec![11, 12]),
            ("9223372036854775808", vec![13, 14]),
            ("18446744073709551615", vec![15]),
            ("18446744073709551616.0", vec![]),
            ("[]", vec![16]),
            ("{}", vec![17]),
            ("\"\"", vec![18]),
            ("0", vec![19, 20]),
            ("0.0000001", vec![21]),
            (r#"{"a":"%_\\"}"#, vec![22]),
            (r#"{"a":"xx\\"}"#, vec![]),
            ("null", vec![99]),
        ] {
            assert_eq!(found(document), expected, "{document}");
            assert_eq!(of(document), expected, "{document}");
        }
        let any = with(vec![
            ("json", Test::In(vec![json("1"), json("9007199254740993"), Cell::Null])),
            ("id", Test::any_of([1, 9, 2, 99])),
        ]);
        assert_eq!(ids(on, &any), [1, 9, 99]);
        let mut page = QueryRows { limit: Some(1), offset: 1, order_by: vec![OrderBy::desc("id")], ..any };
        assert_eq!(ids(on, &page), [9], "limit and offset count what passes");
        page.limit = Some(0);
        assert_eq!(ids(on, &page), [0; 0]);
    });
}

fn refused(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        create(on, keyed());
        let wrong: [(&str, Test); 8] = [
            ("integer", "1".into()),
            ("integer", 1.5.into()),
            ("bigint", json("9223372036854775808").into()),
            ("text", 1.into()),
            ("boolean", 1.into()),
            ("real", Test::In(vec![1.into(), Cell::Real(f64::NAN)])),
            ("blob", "AQI=".into()),
            ("json", vec![1_u8].into()),
        ];
        for (column, test) in wrong {
            let query = with(vec![("id", 1.into()), (column, test)]);
            let expected = [(format!("/{column}"), "type".to_owned())];
            assert_eq!(violations(on.query(&query)), expected);
            assert_eq!(violations(on.count(&CountRows { name: "t".into(), filter: query.filter })), expected);
        }
        let both = with(vec![("text", 1.into()), ("integer", "1".into())]);
        assert_eq!(violations(on.query(&both)).len(), 2);
        for query in [
            QueryRows { limit: Some(-1), ..QueryRows::new("t") },
            QueryRows { offset: -1, ..QueryRows::new("t") },
            QueryRows { order_by: vec![OrderBy::asc("nobody")], ..QueryRows::new("t") },
            with(vec![("nobody", Cell::Null.into())]),
        ] {
            assert_eq!(code(on.query(&query)), ErrorCode::InvalidArgument);
        }
        assert_eq!(code(on.query(&QueryRows::new("nobody"))), ErrorCode::NotFound);
        assert_eq!(code(on.count(&CountRows::new("nobody"))), ErrorCode::NotFound);
    });
}

fn order(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        create(on, keyed());
        let ascending: [(ColumnType, Vec<Cell>); 6] = [
            (
                ColumnType::Text,
                ["", "A", "B", "Z", "a", "a ", "a-b", "ab", "z", "ä", "\u{ffff}", "\u{1f642}"].map(Cell::from).to_vec(),
            ),
            (ColumnType::Integer, [i64::MIN, -1, 0, 1, i64::MAX].map(Cell::from).to_vec()),
            (ColumnType::Real, [-1e300, -0.5, 0.0, 5e-324, 0.1, 1e300].map(Cell::from).to_vec()),
            (ColumnType::Blob, [vec![], vec![0], vec![0, 0], vec![1], vec![255]].map(Cell::from).to_vec()),
            (ColumnType::Bigint, [-3, -2, -1].map(Cell::from).to_vec()),
            (ColumnType::Boolean, [false, true].map(Cell::from).to_vec()),
        ];
        for (holds, cells) in ascending {
            on.drop(&sprongus::tables::TableName::new("t")).unwrap();
            create(on, keyed().index(Index::new("t_by", [holds.as_str()])));
            // Twice each and two nulls, in another order than theirs.
            let of_each: Vec<Cell> = [Cell::Null].into_iter().chain(cells).collect();
            let count = i64::try_from(of_each.len()).unwrap();
            let cell = |n: i64| of_each[usize::try_from(n / 2).unwrap()].clone();
            let rows = (0..2 * count).rev().map(|n| row(&[("id", n.into()), (holds.as_str(), cell(n))])).collect();
            puts(on, rows).unwrap();
            let by = |order_by: Vec<OrderBy>| ids(on, &QueryRows { order_by, ..QueryRows::new("t") });
            let column = holds.as_str();
            assert_eq!(by(vec![OrderBy::asc(column)]), (0..2 * count).collect::<Vec<_>>(), "{column}");
            // Ties stay by the key, ascending.
            let descending: Vec<i64> = (0..count).rev().flat_map(|n| [2 * n, 2 * n + 1]).collect();
            assert_eq!(by(vec![OrderBy::desc(column)]), descending, "{column}");
            assert_eq!(by(vec![OrderBy::desc(column), OrderBy::desc("id")]), (0..2 * count).rev().collect::<Vec<_>>());
            assert_eq!(by(vec![OrderBy::desc("id"), OrderBy::asc(column)]), (0..2 * count).rev().collect::<Vec<_>>());
            assert_eq!(
                by(vec![OrderBy::desc(column), OrderBy::asc(column)]),
                descending,
                "the first of the same counts"
            );
            assert_eq!(by(vec![]), (0..2 * count).collect::<Vec<_>>(), "by the key where nothing is asked");
        }
    });
}

fn order_of_documents(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        create(on, keyed());
        let ascending =
            ["false", "true", "-1.5", "0", "1", "1.5", "1e16", "18446744073709551615", "\"\"", "\"a\"", "\"ä\""];
        let rows =
            (1..).zip(ascending).map(|(id, document): (i64, _)| row(&[("id", id.into()), ("json", json(document))]));
        let more = ["[2]", "[1]", r#"{"b":1}"#, "{}", "1.0"];
        let more = (90..).zip(more).map(|(id, document): (i64, _)| row(&[("id", id.into()), ("json", json(document))]));
        let mut rows: Vec<Cells> = rows.chain(more).chain([row(&[("id", 0.into())])]).collect();
        rows.reverse();
        puts(on, rows).unwrap();
        let by = |order_by: Vec<OrderBy>| ids(on, &QueryRows { order_by, ..QueryRows::new("t") });
        let up = [0, 1, 2, 3, 4, 5, 94, 6, 7, 8, 9, 10, 11, 90, 91, 92, 93];
        assert_eq!(by(vec![OrderBy::asc("json")]), up, "1 and 1.0 tie, arrays with arrays, objects with objects");
        let down = [92, 93, 90, 91, 11, 10, 9, 8, 7, 6, 5, 94, 4, 3, 2, 1, 0];
        assert_eq!(by(vec![OrderBy::desc("json")]), down);
        assert_eq!(by(vec![OrderBy::asc("json"), OrderBy::desc("id")])[5..7], [94, 5]);
        let page = QueryRows { order_by: vec![OrderBy::asc("json")], limit: Some(3), offset: 5, ..QueryRows::new("t") };
        assert_eq!(ids(on, &page), [5, 94, 6]);
    });
}

fn window(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        create(on, TableSchema::new("t").column(number("id").primary_key()));
        puts(on, (0..10).map(|id: i64| row(&[("id", id.into())])).collect()).unwrap();
        let of = |limit: Option<i64>, offset: i64| ids(on, &QueryRows { limit, offset, ..QueryRows::new("t") });
        assert_eq!(of(None, 0).len(), 10);
        assert_eq!(of(Some(3), 0), [0, 1, 2]);
        assert_eq!(of(Some(3), 8), [8, 9]);
        assert_eq!(of(None, 7), [7, 8, 9], "an offset alone");
        assert_eq!(of(Some(0), 0), [0; 0]);
        assert_eq!(of(Some(0), 5), [0; 0]);
        assert_eq!(of(Some(5), 10), [0; 0]);
        assert_eq!(of(Some(i64::MAX), i64::MAX), [0; 0]);
        assert_eq!(of(Some(i64::MAX), 0).len(), 10);
        assert_eq!(of(None, i64::MAX), [0; 0]);
    });
}

/// As the statement is, so is its plan: rows are reached by their key, and an order is walked along its index.
fn planned(env: &Env) {
    let store = env.open();
    let on = store.tables();
    let schema = TableSchema::new("t")
        .column(text("id"))
        .column(text("mail").unique())
        .column(Column::new("at", ColumnType::Bigint));
    create(on, schema.index(Index::new("t_at", ["at"])));
    puts(on, (0..2_000).map(|n: i64| row(&[("mail", n.to_string().into()), ("at", (n % 50).into())])).collect())
        .unwrap();
    store.execute("ANALYZE t", &[]).unwrap();
    let plan = |sql: &str, params: &[Value<'_>]| {
        let explain = if env.backend() == Backend::Postgres { "EXPLAIN" } else { "EXPLAIN QUERY PLAN" };
        let rows = store.query(&format!("{explain} {sql}"), params).unwrap();
        rows.iter().map(|row| format!("{:?}\n", row.values())).collect::<String>()
    };
    let walks = |sql: &str, params: &[Value<'_>]| {
        let plan = plan(sql, params);
        let whole = ["Seq Scan on t", "SCAN t\"", "SCAN t USING", "Sort", "TEMP B-TREE"];
        let index_walk = plan.contains("SCAN t USING INDEX t_at");
        assert!(index_walk || !whole.iter().any(|bad| plan.contains(bad)), "{sql}:\n{plan}");
    };
    let current = "EXISTS (SELECT 1 FROM sprongus_tables WHERE key = 't' AND generation = 'x')";
    walks(&format!("SELECT {current}, \"id\" FROM \"t\" WHERE (\"id\" = $1) ORDER BY \"id\""), &["x".into()]);
    walks(&format!("SELECT {current}, \"id\" FROM \"t\" WHERE (\"mail\" = $1)"), &["7".into()]);
    walks(&format!("SELECT {current}, \"id\" FROM \"t\" ORDER BY \"at\" NULLS FIRST LIMIT 10"), &[]);
    walks(&format!("SELECT {current}, \"id\" FROM \"t\" ORDER BY \"at\" DESC NULLS LAST LIMIT 10"), &[]);
}
