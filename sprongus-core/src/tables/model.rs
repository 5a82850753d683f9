//! The schema of a custom table: what its creator says of it, and what the catalog keeps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A custom table as it is created and described.
///
/// ```
/// use sprongus::tables::{Column, ColumnType, Index, TableSchema};
/// let schema = TableSchema::new("oauth_tokens")
///     .column(Column::new("provider", ColumnType::Text).primary_key())
///     .column(Column::new("access_token", ColumnType::Text).not_null())
///     .column(Column::new("expires_at", ColumnType::Bigint))
///     .index(Index::new("oauth_tokens_expiry", ["expires_at"]));
/// assert_eq!(schema.columns.len(), 3);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TableSchema {
    /// Its name: `^[A-Za-z_][A-Za-z0-9_]*$`, at most 63 bytes, unique without regard to case.
    pub name: String,
    /// Its columns, in the order in which rows show them; at most 256.
    #[serde(default)]
    pub columns: Vec<Column>,
    /// Its indexes, apart from those of the primary key and of unique columns.
    #[serde(default)]
    pub indexes: Vec<Index>,
}

impl TableSchema {
    /// A table of that name without columns.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// The same with one column more.
    #[must_use]
    pub fn column(mut self, column: Column) -> Self {
        self.columns.push(column);
        self
    }

    /// The same with one index more.
    #[must_use]
    pub fn index(mut self, index: Index) -> Self {
        self.indexes.push(index);
        self
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Column {
    /// Its name, unique in its table without regard to case.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// What else is asked of its values.
    #[serde(default)]
    pub constraints: Vec<Constraint>,
}

impl Column {
    /// A column that may be null.
    pub fn new(name: impl Into<String>, column_type: ColumnType) -> Self {
        Self { name: name.into(), column_type, constraints: Vec::new() }
    }

    /// The same as the primary key of its table.
    #[must_use]
    pub fn primary_key(self) -> Self {
        self.with(Constraint::PrimaryKey)
    }

    /// The same, never null.
    #[must_use]
    pub fn not_null(self) -> Self {
        self.with(Constraint::NotNull)
    }

    /// The same, no value twice.
    #[must_use]
    pub fn unique(self) -> Self {
        self.with(Constraint::Unique)
    }

    /// The same, numbered by the database; for a primary key of integers.
    #[must_use]
    pub fn auto_increment(self) -> Self {
        self.with(Constraint::AutoIncrement)
    }

    /// The same under one constraint more.
    #[must_use]
    pub fn with(mut self, constraint: Constraint) -> Self {
        self.constraints.push(constraint);
        self
    }

    /// Whether it is under that constraint.
    pub fn is(&self, constraint: Constraint) -> bool {
        self.constraints.contains(&constraint)
    }
}

/// What a column holds; any may hold null besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// Text without NUL, ordered by code point.
    Text,
    /// Integers of 64 bits.
    Integer,
    /// Double-precision numbers, finite.
    Real,
    /// Bytes.
    Blob,
    /// JSON documents.
    Json,
    /// Integers of 64 bits, as `integer`.
    Bigint,
    /// True and false.
    Boolean,
}

impl ColumnType {
    /// `text`, `integer`, …
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Real => "real",
            Self::Blob => "blob",
            Self::Json => "json",
            Self::Bigint => "bigint",
            Self::Boolean => "boolean",
        }
    }

    /// Whether its values may be of any length.
    pub(super) const fn is_of_any_length(self) -> bool {
        matches!(self, Self::Text | Self::Blob | Self::Json)
    }
}

/// What is asked of the values of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Constraint {
    /// Tells the rows apart: never null, no value twice. One column of a table; `text`, `integer` or `bigint`.
    PrimaryKey,
    /// Never null.
    NotNull,
    /// No value twice; any number of nulls.
    Unique,
    /// The database numbers the rows that come without a value, from 1 upwards, and gives no number twice.
    AutoIncrement,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Index {
    /// Its name, unique among the tables and indexes of the database without regard to case.
    pub name: String,
    /// Its columns, the first one the most important; at most 32.
    pub columns: Vec<String>,
    /// Whether no values of its columns, taken together, may come twice; rows with a null among them may.
    #[serde(default)]
    pub unique: bool,
}

impl Index {
    /// An index over those columns.
    pub fn new<C: Into<String>>(name: impl Into<String>, columns: impl IntoIterator<Item = C>) -> Self {
        Self { name: name.into(), columns: columns.into_iter().map(Into::into).collect(), unique: false }
    }

    /// The same, no values twice.
    #[must_use]
    pub fn unique(self) -> Self {
        Self { unique: true, ..self }
    }
}
