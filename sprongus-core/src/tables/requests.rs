//! What the operations on custom tables are asked, and what some answer.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::model::TableSchema;
use super::row::{Cells, Where};

/// Creates a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateTable {
    /// What it is to be.
    pub schema: TableSchema,
}

impl CreateTable {
    /// A table of that schema.
    pub fn new(schema: TableSchema) -> Self {
        Self { schema }
    }
}

/// Names a table, in whatever case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TableName {
    /// Its name.
    pub name: String,
}

impl TableName {
    /// The table of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

/// Whether there is such a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TableExists {
    /// Whether it is there.
    pub exists: bool,
}

/// Inserts a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InsertRow {
    /// The table.
    pub name: String,
    /// The row; columns that are left out are null.
    #[serde(default)]
    pub row: Cells,
}

impl InsertRow {
    /// That row into that table.
    pub fn new(name: impl Into<String>, row: Cells) -> Self {
        Self { name: name.into(), row }
    }
}

/// The row that was inserted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Inserted {
    /// Its primary key as text.
    pub id: String,
}

/// Inserts rows, all or none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InsertRows {
    /// The table.
    pub name: String,
    /// The rows; columns that are left out are null.
    pub rows: Vec<Cells>,
}

impl InsertRows {
    /// Those rows into that table.
    pub fn new(name: impl Into<String>, rows: Vec<Cells>) -> Self {
        Self { name: name.into(), rows }
    }
}

/// The rows that were inserted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InsertedMany {
    /// Their primary keys as text, in the order of the rows.
    pub ids: Vec<String>,
}

/// Changes a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateRow {
    /// The table.
    pub name: String,
    /// The row's primary key as text.
    pub id: String,
    /// What is to change; columns that are left out stay.
    #[serde(default)]
    pub data: Cells,
}

impl UpdateRow {
    /// That of the row of that id.
    pub fn new(name: impl Into<String>, id: impl Into<String>, data: Cells) -> Self {
        Self { name: name.into(), id: id.into(), data }
    }
}

/// Which rows are wanted, and in which order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QueryRows {
    /// The table.
    pub name: String,
    /// The rows that pass all of it; none: every row.
    #[serde(rename = "where", default)]
    pub filter: Where,
    /// The order, the most important column first; ties are by the primary key, ascending.
    #[serde(default)]
    pub order_by: Vec<OrderBy>,
    /// At most that many rows; none: all.
    #[serde(default)]
    pub limit: Option<i64>,
    /// Without the first so many.
    #[serde(default)]
    pub offset: i64,
}

impl QueryRows {
    /// Every row of that table, by the primary key.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

/// One column of an order; in JSON `["column", "asc"]` or `["column", "desc"]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderBy {
    /// The column.
    pub column: String,
    /// From the last to the first. Nulls come first ascending, last descending.
    pub descending: bool,
}

impl OrderBy {
    /// From the first to the last.
    pub fn asc(column: impl Into<String>) -> Self {
        Self { column: column.into(), descending: false }
    }

    /// From the last to the first.
    pub fn desc(column: impl Into<String>) -> Self {
        Self { column: column.into(), descending: true }
    }
}

/// The direction as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Direction {
    Asc,
    Desc,
}

impl Serialize for OrderBy {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (&self.column, if self.descending { Direction::Desc } else { Direction::Asc }).serialize(to)
    }
}

impl<'de> Deserialize<'de> for OrderBy {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (column, direction) = <(String, Direction)>::deserialize(from)?;
        Ok(Self { column, descending: matches!(direction, Direction::Desc) })
    }
}

impl JsonSchema for OrderBy {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OrderBy".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A column and its direction.",
            "type": "array",
            "prefixItems": [{ "type": "string" }, { "enum": ["asc", "desc"] }],
            "minItems": 2,
            "maxItems": 2,
        })
    }
}

/// Which rows are counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CountRows {
    /// The table.
    pub name: String,
    /// The rows that pass all of it; none: every row.
    #[serde(rename = "where", default)]
    pub filter: Where,
}

impl CountRows {
    /// Every row of that table.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), filter: Where::new() }
    }
}

/// Removes a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteRow {
    /// The table.
    pub name: String,
    /// The row's primary key as text.
    pub id: String,
}

impl DeleteRow {
    /// The row of that id.
    pub fn new(name: impl Into<String>, id: impl Into<String>) -> Self {
        Self { name: name.into(), id: id.into() }
    }
}
