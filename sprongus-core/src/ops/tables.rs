//! Operations on custom tables.

use super::{Empty, Operation};
use crate::aux_store::Counted;
use crate::scope::Scope;
use crate::tables::{
    CountRows, CreateTable, DeleteRow, InsertRow, InsertRows, QueryRows, TableExists, TableName, Tables, UpdateRow,
};

pub(super) fn operations() -> Vec<Operation> {
    let admin = Scope::Admin;
    vec![
        Operation::new("tables.create", admin, "Creates a table.", |on, request: CreateTable| {
            Tables::new(on).create(&request)
        }),
        Operation::new(
            "tables.exists",
            admin,
            "Whether there is a table of that name, custom or the host's own.",
            |on, request: TableName| Ok(TableExists { exists: Tables::new(on).exists(&request)? }),
        ),
        Operation::new("tables.drop", admin, "Drops a table, if it is there.", |on, request: TableName| {
            Tables::new(on).drop(&request)
        }),
        Operation::new("tables.describe", admin, "What a table was created with.", |on, request: TableName| {
            Tables::new(on).describe(&request)
        }),
        Operation::new("tables.names", admin, "The names of all custom tables, in order.", |on, _: Empty| {
            Tables::new(on).names()
        }),
        Operation::new("tables.insert", admin, "Inserts a row.", |on, request: InsertRow| {
            Tables::new(on).insert(&request)
        }),
        Operation::new("tables.insert_many", admin, "Inserts rows, all or none.", |on, request: InsertRows| {
            Tables::new(on).insert_many(&request)
        }),
        Operation::new("tables.update", admin, "Changes a row.", |on, request: UpdateRow| {
            Tables::new(on).update(&request)
        }),
        Operation::new("tables.query", admin, "The rows that are asked for.", |on, request: QueryRows| {
            Tables::new(on).query(&request)
        }),
        Operation::new("tables.count", admin, "How many rows there are.", |on, request: CountRows| {
            Ok(Counted { count: Tables::new(on).count(&request)? })
        }),
        Operation::new("tables.delete", admin, "Removes a row.", |on, request: DeleteRow| {
            Tables::new(on).delete(&request)
        }),
    ]
}
