//! What is done with custom tables.

use std::ffi::{c_char, c_void};

use serde::de::DeserializeOwned;
use sprongus::json::decode;
use sprongus::tables::{
    Cells, CountRows, CreateTable, DeleteRow, InsertRow, InsertRows, OrderBy, QueryRows, TableName, UpdateRow, Where,
};
use sprongus::{Error, Result};

use crate::args::{self, Out, Plain};
use crate::buf::{Buf, sprongus_buf};
use crate::error::sprongus_error;
use crate::options::SPRONGUS_NONE;
use crate::record::give_json;
use crate::rows::{Rows, sprongus_rows};
use crate::value::{self, sprongus_value};
use crate::{door, target};

/// Which rows of a custom table, and in which order; zero is the default of each. Begin with `SPRONGUS_INIT(query)`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sprongus_rows_query {
    /// `sizeof(sprongus_rows_query)`.
    pub struct_size: usize,
    /// The rows whose columns have these values, JSON, NUL-terminated: `{"owner": "ada", "state": ["new", null]}`. An array
    /// holds what a column may be. NULL: every row.
    pub r#where: *const c_char,
    /// `order_by_count` columns to order by: "label", "-expires_at" (descending); NULL: by the primary key.
    pub order_by: *const *const c_char,
    /// How many columns.
    pub order_by_count: usize,
    /// At most so many rows; all of them. SPRONGUS_NONE: none.
    pub limit: i64,
    /// Rows passed over.
    pub offset: i64,
}

// SAFETY: `repr(C)`, begins with its size, integers and pointers alone.
unsafe impl Plain for sprongus_rows_query {}

/// # Safety
/// `name` is NULL or terminated.
unsafe fn named(name: *const c_char) -> Result<TableName> {
    // SAFETY: the same promise.
    Ok(TableName { name: unsafe { args::text("name", name) }?.to_owned() })
}

/// What stands in a JSON text that has to be given.
///
/// # Safety
/// `json` is NULL or readable for `length` bytes.
unsafe fn read<T: DeserializeOwned>(name: &str, json: *const c_char, length: usize) -> Result<T> {
    // SAFETY: the same promise.
    decode(unsafe { args::required(name, json, length) }?)
}

/// Creates a table of the host's own, from a schema of `length` bytes; the same schema once more is nothing.
///
/// `{"name", "columns": [{"name", "type", "constraints"?}], "indexes"?: [{"name", "columns", "unique"?}]}`. Types: text,
/// integer, real, blob, json, bigint, boolean. Constraints: primary_key, not_null, unique, auto_increment. Without a primary
/// key there is a column `id` of text that is it. Names are of letters, digits and `_`, at most 63 bytes, unique without
/// regard to case. All functions here need "admin" of a scoped handle. Errors: `invalid_argument` (what the schema may not
/// say), `conflict` with the difference in the details (a table of that name has another schema).
///
/// ```c
/// const char *schema = "{\"name\": \"tokens\", \"columns\": [{\"name\": \"sealed\", \"type\": \"blob\"}]}";
/// sprongus_tables_create(store, schema, strlen(schema), &error);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_tables_create(
    store_or_tx: *const c_void,
    schema: *const c_char,
    length: usize,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for bytes.
        let request = CreateTable { schema: unsafe { read("schema", schema, length) }? };
        target::on(store_or_tx, |on| on.tables().create(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Whether there is a table of that name, whatever its case, made here or by the host's own SQL; not for tables of the
/// library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_tables_exists(
    store_or_tx: *const c_void,
    name: *const c_char,
    exists: *mut bool,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, request) = unsafe { (args::number("exists", exists)?, named(name)?) };
        out.set(target::on(store_or_tx, |on| on.tables().exists(&request))?);
        Ok(())
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Drops a table and its rows; nothing where there is no such table. Errors: `invalid_argument` (a table of the library).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_tables_drop(
    store_or_tx: *const c_void,
    name: *const c_char,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for text.
        let request = unsafe { named(name) }?;
        target::on(store_or_tx, |on| on.tables().drop(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// The schema of a table as JSON. Errors: `not_found`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_tables_describe(
    store_or_tx: *const c_void,
    name: *const c_char,
    schema: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, request) = unsafe { (args::place("schema", schema)?, named(name)?) };
        give_json(out, &target::on(store_or_tx, |on| on.tables().describe(&request))?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// The names of all tables made here, in order, as a JSON array.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_tables_names(
    store_or_tx: *const c_void,
    names: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for out-pointers.
        let out = unsafe { args::place("names", names) }?;
        give_json(out, &target::on(store_or_tx, |on| on.tables().names())?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Inserts a row, a JSON object of `length` bytes; a column that is left out is null. `id`, which may be NULL, is its primary
/// key as text: a new one where the row has none.
///
/// Bytes are `{"$bytes": "<Base64>"}`. Errors: `validation` with the column as the path (a value of another type, a null where
/// there may be none, no such column), `conflict` (the id or a unique value is taken), `not_found` (the table).
///
/// ```c
/// const char *row = "{\"sealed\": {\"$bytes\": \"Af4=\"}}";
/// sprongus_buf *id = NULL;
/// if (sprongus_tables_insert(store, "tokens", row, strlen(row), &id, &error) == SPRONGUS_OK)
///     puts(sprongus_buf_data(id));
/// sprongus_buf_free(id);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_tables_insert(
    store_or_tx: *const c_void,
    name: *const c_char,
    row: *const c_char,
    length: usize,
    id: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, bytes and out-pointers.
        let (out, request) = unsafe {
            let out = args::place_opt(id);
            (out, InsertRow { name: named(name)?.name, row: read::<Cells>("row", row, length)? })
        };
        let inserted = target::on(store_or_tx, |on| on.tables().insert(&request))?;
        out.give(Buf::text(&inserted.id))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// The same of `count` columns and their values, so that bytes need no Base64 and texts no JSON.
///
/// SPRONGUS_TEXT, _INT, _FLOAT, _BYTES, _JSON and _BOOL are for the columns of those types, SPRONGUS_NULL for all; others are
/// taken as text. Errors: as sprongus_tables_insert.
///
/// ```c
/// const char *columns[] = {"account", "sealed"};
/// sprongus_value values[2];
/// values[0] = sprongus_text("ada");
/// values[1] = sprongus_bytes(sealed, length);
/// sprongus_tables_insert_values(store, "tokens", columns, values, 2, NULL, &error);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_tables_insert_values(
    store_or_tx: *const c_void,
    name: *const c_char,
    columns: *const *const c_char,
    values: *const sprongus_value,
    count: usize,
    id: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, values and out-pointers.
        let (out, request) = unsafe {
            let out = args::place_opt(id);
            (out, InsertRow { name: named(name)?.name, row: cells(columns, values, count)? })
        };
        let inserted = target::on(store_or_tx, |on| on.tables().insert(&request))?;
        out.give(Buf::text(&inserted.id))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// # Safety
/// `columns` is NULL or points to `count` texts, `values` NULL or to `count` values whose data are readable.
unsafe fn cells(columns: *const *const c_char, values: *const sprongus_value, count: usize) -> Result<Cells> {
    // SAFETY: the same promise.
    let (columns, values) = unsafe {
        (args::texts_opt("columns", columns, count)?.unwrap_or_default(), value::read_all("values", values, count)?)
    };
    Ok(columns.into_iter().zip(&values).map(|(column, value)| (column, value::table_cell(value))).collect())
}

/// Inserts rows, a JSON array of objects of `length` bytes, all or none. `ids`, which may be NULL, is a JSON array of their
/// primary keys, in their order. Errors: as sprongus_tables_insert; `validation` has every fault of every row, with the `row`
/// counted from 1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_tables_insert_many(
    store_or_tx: *const c_void,
    name: *const c_char,
    rows: *const c_char,
    length: usize,
    ids: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, bytes and out-pointers.
        let (out, request) = unsafe {
            let out = args::place_opt(ids);
            (out, InsertRows { name: named(name)?.name, rows: read("rows", rows, length)? })
        };
        give_json(out, &target::on(store_or_tx, |on| on.tables().insert_many(&request))?.ids)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Changes the columns that `data`, a JSON object of `length` bytes, names of the row of that id; `{}` changes nothing.
/// Errors: as sprongus_tables_insert, and `not_found` (the row).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_tables_update(
    store_or_tx: *const c_void,
    name: *const c_char,
    id: *const c_char,
    data: *const c_char,
    length: usize,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and bytes.
        let request = unsafe {
            let (name, id) = (named(name)?.name, args::text("id", id)?.to_owned());
            UpdateRow { name, id, data: read("data", data, length)? }
        };
        target::on(store_or_tx, |on| on.tables().update(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// The same of `count` columns and their values, which are as of sprongus_tables_insert_values.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_tables_update_values(
    store_or_tx: *const c_void,
    name: *const c_char,
    id: *const c_char,
    columns: *const *const c_char,
    values: *const sprongus_value,
    count: usize,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and values.
        let request = unsafe {
            let (name, id) = (named(name)?.name, args::text("id", id)?.to_owned());
            UpdateRow { name, id, data: cells(columns, values, count)? }
        };
        target::on(store_or_tx, |on| on.tables().update(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// The rows that are asked for, their columns in the order of the schema; all of them where `query` is NULL.
///
/// A value is SPRONGUS_NULL, or of its column's type SPRONGUS_TEXT, _INT, _FLOAT, _BYTES, _JSON, _BOOL.
/// sprongus_rows_to_json shows bytes as sprongus_tables_insert takes them. Errors: `not_found` (the table),
/// `invalid_argument`, `validation` (a value in `where` that its column cannot have).
///
/// ```c
/// sprongus_rows_query query;
/// SPRONGUS_INIT(query);
/// const char *order[] = {"-expires_at"};
/// query.where = "{\"provider\": \"mail\"}";
/// query.order_by = order;
/// query.order_by_count = 1;
/// sprongus_rows *rows = NULL;
/// sprongus_tables_query(store, "tokens", &query, &rows, &error);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_tables_query(
    store_or_tx: *const c_void,
    name: *const c_char,
    query: *const sprongus_rows_query,
    rows: *mut *mut sprongus_rows,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, structs and out-pointers.
        let (out, request): (Out<_>, _) = unsafe { (args::place("rows", rows)?, asked(named(name)?.name, query)?) };
        out.give(Rows::of_table(&target::on(store_or_tx, |on| on.tables().query(&request))?))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// # Safety
/// `query` is NULL or a readable struct of the size it says, its texts terminated.
unsafe fn asked(name: String, query: *const sprongus_rows_query) -> Result<QueryRows> {
    // SAFETY: the same promise.
    unsafe {
        let given = args::plain("query", query)?;
        let order = args::texts_opt("query.order_by", given.order_by, given.order_by_count)?.unwrap_or_default();
        Ok(QueryRows {
            name,
            filter: conditions("query.where", given.r#where)?,
            order_by: order.iter().map(|column| direction(column)).collect(),
            limit: match given.limit {
                0 => None,
                SPRONGUS_NONE => Some(0),
                limit if limit > 0 => Some(limit),
                limit => return Err(Error::invalid(format!("query.limit is {limit}; 0 is all rows, -1 none"))),
            },
            offset: given.offset,
        })
    }
}

fn direction(column: &str) -> OrderBy {
    match column.strip_prefix('-') {
        Some(column) => OrderBy::desc(column),
        None => OrderBy::asc(column),
    }
}

/// # Safety
/// `json` is NULL or terminated.
unsafe fn conditions(name: &str, json: *const c_char) -> Result<Where> {
    // SAFETY: the same promise.
    Ok(unsafe { args::text_opt(name, json) }?.map(decode).transpose()?.unwrap_or_default())
}

/// How many rows there are, of those that `where` (JSON, NUL-terminated) of sprongus_rows_query tells; of all where it is NULL.
/// Errors: as sprongus_tables_query.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_tables_count(
    store_or_tx: *const c_void,
    name: *const c_char,
    r#where: *const c_char,
    count: *mut u64,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, request) = unsafe {
            let out = args::number("count", count)?;
            (out, CountRows { name: named(name)?.name, filter: conditions("where", r#where)? })
        };
        out.set(target::on(store_or_tx, |on| on.tables().count(&request))?);
        Ok(())
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Removes the row of that id. Errors: `not_found` (the row, the table).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_tables_delete(
    store_or_tx: *const c_void,
    name: *const c_char,
    id: *const c_char,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text.
        let request = unsafe { DeleteRow { name: named(name)?.name, id: args::text("id", id)?.to_owned() } };
        target::on(store_or_tx, |on| on.tables().delete(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}
