//! `Tables`.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use sprongus::tables::{CountRows, CreateTable, DeleteRow, InsertRow, OrderBy, QueryRows, TableName, UpdateRow, Where};
use sprongus::{Error, Result};

use crate::args::{Text, Whole, pick};
use crate::error::raised;
use crate::ground::Ground;
use crate::items::Items;
use crate::{cells, json_in, json_out};

/// Custom tables: typed tables of your own beside everything else, checked alike on both databases. They belong to the store:
/// all calls take the scope `admin`.
///
/// A row is a dict by column (or a dataclass). `text` takes what JSON has text for: str, datetime, date, UUID, Decimal, an
/// Enum of str; `integer` and `bigint` int of 64 bits, `real` int and float, `boolean` bool, `blob` bytes, `json` any JSON.
/// They come out as str, int, float, bool, bytes and JSON.
///
/// >>> store.tables.create({
/// ...     "name": "hosts",
/// ...     "columns": [
/// ...         {"name": "name", "type": "text", "constraints": ["primary_key"]},
/// ...         {"name": "cores", "type": "integer", "constraints": ["not_null"]},
/// ...     ],
/// ... })
/// >>> store.tables.insert("hosts", {"name": "web-1", "cores": 4})
/// 'web-1'
/// >>> store.tables.query("hosts", where={"cores": [4, 8]})
/// [{'name': 'web-1', 'cores': 4}]
#[pyclass(module = "sprongus", frozen)]
pub(crate) struct Tables {
    ground: Ground,
}

impl Tables {
    pub(crate) fn new(ground: Ground) -> Self {
        Self { ground }
    }
}

#[pymethods]
impl Tables {
    /// Creates a table; the same schema once more is nothing.
    ///
    /// schema: `{"name", "columns": [{"name", "type", "constraints"?}], "indexes"?: [{"name", "columns", "unique"?}]}`. Types:
    /// text, integer, real, blob, json, bigint, boolean. Constraints: primary_key, not_null, unique, auto_increment. Without
    /// a primary key there is a column `id` of text that is it. Raises `ConflictError` with the difference as its details where
    /// a table of that name has another schema, `InvalidArgumentError`.
    fn create(&self, py: Python<'_>, schema: &Bound<'_, PyAny>) -> PyResult<()> {
        let document = json_in::document(schema)?;
        let schema = sprongus::json::decode(document.as_str()).map_err(|error| raised(py, &error))?;
        let request = CreateTable { schema };
        self.ground.tables(py, |tables| tables.create(&request))
    }

    /// Whether there is a table of that name, whatever its case, made here or by SQL of your own; not for tables of the library.
    fn exists(&self, py: Python<'_>, name: Text) -> PyResult<bool> {
        let of = TableName { name: name.0 };
        self.ground.tables(py, |tables| tables.exists(&of))
    }

    /// Drops a table and its rows; nothing where there is no such table.
    fn drop(&self, py: Python<'_>, name: Text) -> PyResult<()> {
        let of = TableName { name: name.0 };
        self.ground.tables(py, |tables| tables.drop(&of))
    }

    /// The schema of a table; `NotFoundError` where it is none of those made here.
    fn describe<'py>(&self, py: Python<'py>, name: Text) -> PyResult<Bound<'py, PyAny>> {
        let of = TableName { name: name.0 };
        let schema = self.ground.tables(py, |tables| tables.describe(&of))?;
        json_out::serialized(py, &schema)
    }

    /// The names of all tables made here, in order.
    fn names(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.ground.tables(py, |tables| tables.names())
    }

    /// Inserts a row; its primary key as text: a new one where the row has none. A column that is left out is None.
    ///
    /// Raises `ValidationError` with the column as the path (a value of another type, a None where there may be none, no such
    /// column), `ConflictError` (the key or a unique value is taken), `NotFoundError` (the table).
    ///
    /// >>> columns = [{"name": "sealed", "type": "blob"}, {"name": "scopes", "type": "json"}]
    /// >>> store.tables.create({"name": "tokens", "columns": columns})
    /// >>> store.tables.insert("tokens", {"id": "mail", "sealed": b"\x01\xfe", "scopes": ["read"]})
    /// 'mail'
    fn insert(&self, py: Python<'_>, name: Text, row: &Bound<'_, PyAny>) -> PyResult<String> {
        let request = InsertRow { name: name.0, row: taken(py, "row", row, cells::row)? };
        Ok(self.ground.tables(py, |tables| tables.insert(&request))?.id)
    }

    /// Inserts rows, all or none, from any iterable, a DataFrame or an Arrow table; their primary keys as text, in their order.
    ///
    /// An iterator is drawn from while nothing is locked. Raises as `insert`; a `ValidationError` has the faults of all rows,
    /// each with its `row` counted from 1.
    ///
    /// >>> columns = [{"name": "n", "type": "integer", "constraints": ["primary_key", "auto_increment"]}]
    /// >>> store.tables.create({"name": "seats", "columns": [*columns, {"name": "side", "type": "text"}]})
    /// >>> store.tables.insert_many("seats", ({"side": side} for side in ("left", "right")))
    /// ['1', '2']
    fn insert_many(&self, py: Python<'_>, name: Text, rows: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
        let rows = Items::rows(rows)?;
        Ok(self.ground.tables(py, |tables| tables.insert_rows(&name.0, rows))?.ids)
    }

    /// Changes the columns that `data` names of the row of that id. Raises as `insert`, and `NotFoundError` (the row).
    fn update(&self, py: Python<'_>, name: Text, id: Text, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let request = UpdateRow { name: name.0, id: id.0, data: taken(py, "data", data, cells::row)? };
        self.ground.tables(py, |tables| tables.update(&request))
    }

    /// The rows that are asked for, each a dict in the order of the columns; all of them where nothing is said.
    ///
    /// where: columns and what they have to be, None included; a list or a set holds what a column may be (a list to be
    /// compared with a `json` column stands in a list). order_by: columns, each "asc" or "desc"; ties are by the primary key. limit: None is all.
    ///
    /// >>> store.tables.create({"name": "tides", "columns": [{"name": "at", "type": "text"}, {"name": "m", "type": "real"}]})
    /// >>> ids = store.tables.insert_many("tides", [{"at": "06:12", "m": 2.1}, {"at": "12:30", "m": None}, {"at": "18:41", "m": 2}])
    /// >>> [row["at"] for row in store.tables.query("tides", order_by=[("m", "desc")], limit=2)]
    /// ['06:12', '18:41']
    /// >>> [row["at"] for row in store.tables.query("tides", where={"m": None})]
    /// ['12:30']
    #[pyo3(
        signature = (name, *, r#where = None, order_by = None, limit = None, offset = Whole(0)),
        text_signature = "($self, name, *, where=None, order_by=None, limit=None, offset=0)"
    )]
    fn query<'py>(
        &self,
        py: Python<'py>,
        name: Text,
        r#where: Option<Bound<'py, PyAny>>,
        order_by: Option<Bound<'py, PyAny>>,
        limit: Option<Whole>,
        offset: Whole,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request = QueryRows {
            name: name.0,
            filter: conditions(py, r#where)?,
            order_by: order_by.map_or(Ok(Vec::new()), |order| order_of(&order))?,
            limit: limit.map(|limit| limit.0),
            offset: offset.0,
        };
        let rows = self.ground.tables(py, |tables| tables.query(&request))?;
        cells::rows(py, &rows)
    }

    /// How many rows there are, of those that `where` tells.
    #[pyo3(signature = (name, *, r#where = None), text_signature = "($self, name, *, where=None)")]
    fn count(&self, py: Python<'_>, name: Text, r#where: Option<Bound<'_, PyAny>>) -> PyResult<u64> {
        let request = CountRows { name: name.0, filter: conditions(py, r#where)? };
        self.ground.tables(py, |tables| tables.count(&request))
    }

    /// Removes the row of that id; `NotFoundError` where there is none.
    fn delete(&self, py: Python<'_>, name: Text, id: Text) -> PyResult<()> {
        let request = DeleteRow { name: name.0, id: id.0 };
        self.ground.tables(py, |tables| tables.delete(&request))
    }
}

fn conditions(py: Python<'_>, given: Option<Bound<'_, PyAny>>) -> PyResult<Where> {
    given.map_or_else(|| Ok(Where::new()), |given| taken(py, "where", &given, cells::conditions))
}

/// What is given by column; `TypeError` for what is no mapping.
fn taken<T>(
    py: Python<'_>,
    what: &str,
    given: &Bound<'_, PyAny>,
    take: fn(&Bound<'_, PyAny>) -> Result<T>,
) -> PyResult<T> {
    if !cells::has_columns(given)? {
        let name = given.get_type().fully_qualified_name()?;
        return Err(PyTypeError::new_err(format!("{what} is a dict of columns, not a {name}")));
    }
    take(given).map_err(|error| raised(py, &error))
}

/// Columns and their directions, in pairs.
fn order_of(given: &Bound<'_, PyAny>) -> PyResult<Vec<OrderBy>> {
    let py = given.py();
    let pair = |item: PyResult<Bound<'_, PyAny>>| {
        let wrong = |_| PyTypeError::new_err("order_by is a list of pairs: a column, and \"asc\" or \"desc\"");
        let [column, direction] = <[Text; 2]>::try_from(item?.extract::<Vec<Text>>().map_err(wrong)?)
            .map_err(|_| raised(py, &Error::invalid("order_by has pairs: a column, and \"asc\" or \"desc\"")))?;
        let descending = pick(py, "the direction of order_by", &direction, &[("asc", false), ("desc", true)])?;
        Ok(OrderBy { column: column.0, descending })
    };
    given.try_iter()?.map(pair).collect()
}
