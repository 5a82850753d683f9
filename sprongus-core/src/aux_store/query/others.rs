//! Keys of one field, in their order, of entries that have certain keys of other fields: told by the keys alone.

use crate::aux_store::keys::Range;
use crate::aux_store::rows::Place;
use crate::aux_store::scan::Sql;
use crate::db::{Dialect, Value};

/// So many ranges of a field are walked one after the other, and compared with each key.
pub(super) const MOST_RANGES: usize = 32;
/// So many other fields are looked up for each key.
pub(super) const MOST_FIELDS: usize = 3;

/// What the keys of other fields must be.
#[derive(Debug, Clone, Default)]
pub(super) struct Others {
    pub(super) fields: Vec<Other>,
    pub(super) by: By,
}

/// How the keys of entries are found that have those of the other fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum By {
    /// For each key, those of its entry are looked up.
    #[default]
    Each,
    /// The first other field's keys are joined to these, which are put in order then.
    Join,
    /// The same, and where more than the first page's keys are needed once for all: they are so few that they are kept.
    All,
    /// The first other field tells the entries, which are so few that their ids are kept: by SQLite for a statement.
    Ids,
}

/// The keys `kept` of the field `$3` of the table `$1`, `$2`.
pub(super) const OF_FIELD: &str = "kept.project_id = $1 AND kept.table_name = $2 AND kept.field = $3";

/// A field, and the ranges in one of which its key must lie.
#[derive(Debug, Clone)]
pub(super) struct Other {
    pub(super) field: String,
    pub(super) ranges: Vec<Range>,
}

impl Other {
    /// The ranges as rows of two columns, to be looked up one after the other: of an OR, no index would be used.
    fn spans(&self, sql: &mut Sql<'_>, cast: &str) -> String {
        let mut bind = |key: &[u8]| format!("{}{cast}", sql.bind(Value::from(key.to_vec())));
        let spans: Vec<String> =
            self.ranges.iter().map(|range| format!("({}, {})", bind(&range.from), bind(&range.to))).collect();
        format!("(VALUES {}) AS span", spans.join(", "))
    }

    /// A FROM clause of the entries that have such a key, as `few`.
    fn entries(&self, sql: &mut Sql<'_>, dialect: Dialect) -> String {
        let spans = self.spans(sql, if dialect == Dialect::Postgres { "::bytea" } else { "" });
        let field = sql.bind(self.field.clone());
        let spanned = format!(
            "few.project_id = $1 AND few.table_name = $2 AND few.field = {field} \
             AND few.key >= span.column1 AND few.key < span.column2"
        );
        match dialect {
            Dialect::Sqlite => format!("{spans} CROSS JOIN sprongus_aux_keys AS few ON {spanned}"),
            Dialect::Postgres => format!(
                "{spans} CROSS JOIN LATERAL (SELECT entry_id FROM sprongus_aux_keys AS few WHERE {spanned} OFFSET 0) AS few"
            ),
        }
    }

    /// The ids of those entries (PostgreSQL).
    pub(super) fn ids<'p>(&self, place: Place<'p>) -> Sql<'p> {
        let mut sql = Sql { text: String::new(), params: vec![place.project.into(), place.table.into()] };
        let entries = self.entries(&mut sql, Dialect::Postgres);
        sql.push(&format!("SELECT few.entry_id FROM {entries}"));
        sql
    }

    fn condition(&self, sql: &mut Sql<'_>) -> String {
        let mut bind = |key: &[u8]| sql.bind(Value::from(key.to_vec()));
        let ranges = self.ranges.iter().map(|range| (bind(&range.from), bind(&range.to)));
        let ranges: Vec<String> =
            ranges.map(|(from, to)| format!("(other.key >= {from} AND other.key < {to})")).collect();
        let ranges = if ranges.is_empty() { "1 = 0".to_owned() } else { ranges.join(" OR ") };
        format!("other.field = {} AND ({ranges})", sql.bind(self.field.clone()))
    }
}

impl Others {
    /// `FROM … WHERE …` for the keys `kept` of the field `$3` of the table `$1`, `$2`.
    ///
    /// An entry has few keys, so those of an entry are looked up by it. The fences keep PostgreSQL from looking through all
    /// keys of a field instead, which costs the same to it while it knows no sizes; SQLite takes joins as they are written.
    pub(super) fn keys(&self, sql: &mut Sql<'_>, dialect: Dialect) -> String {
        let joins = matches!(self.by, By::Join | By::All);
        match (self.fields.first().filter(|few| joins && !few.ranges.is_empty()), dialect) {
            (Some(few), Dialect::Sqlite) => format!(
                "FROM {} CROSS JOIN sprongus_aux_keys AS kept WHERE {OF_FIELD} AND kept.entry_id = few.entry_id",
                few.entries(sql, dialect)
            ),
            (Some(few), Dialect::Postgres) => format!(
                "FROM {} CROSS JOIN LATERAL (SELECT * FROM sprongus_aux_keys WHERE project_id = $1 AND table_name = $2 \
                 AND entry_id = few.entry_id OFFSET 0) AS kept WHERE {OF_FIELD}",
                few.entries(sql, dialect)
            ),
            (None, Dialect::Sqlite) if self.by == By::Ids && !self.fields.is_empty() => {
                // The plus keeps SQLite from looking each of them up instead of going along the order.
                let few: Vec<String> = self.fields.iter().map(|few| few.entries(sql, dialect)).collect();
                let among = few.iter().map(|few| format!(" AND +kept.entry_id IN (SELECT few.entry_id FROM {few})"));
                format!("FROM sprongus_aux_keys AS kept WHERE {OF_FIELD}{}", among.collect::<String>())
            }
            (None, dialect) => {
                let all: Vec<String> = self.fields.iter().map(|other| other.condition(sql)).collect();
                let has = all.iter().map(|condition| match dialect {
                    Dialect::Sqlite => format!(
                        " AND (SELECT 1 FROM sprongus_aux_keys AS other WHERE other.project_id = $1 \
                         AND other.table_name = $2 AND other.entry_id = kept.entry_id AND {condition}) IS NOT NULL"
                    ),
                    Dialect::Postgres => format!(
                        " AND EXISTS (SELECT 1 FROM (SELECT field, key FROM sprongus_aux_keys \
                         WHERE project_id = $1 AND table_name = $2 AND entry_id = kept.entry_id OFFSET 0) AS other \
                         WHERE {condition})"
                    ),
                });
                format!("FROM sprongus_aux_keys AS kept WHERE {OF_FIELD}{}", has.collect::<String>())
            }
        }
    }
}
