//! Reading rows.

use std::cmp::Ordering;

use serde_json::Value as Document;

use super::Tables;
use super::catalog::Answer;
use super::cell::Cell;
use super::filter::{Filter, no_column};
use super::model::ColumnType;
use super::requests::{CountRows, OrderBy, QueryRows};
use super::row::{Cells, Where};
use super::table::Table;
use super::value::given;
use crate::aux_store::order;
use crate::db::{Dialect, Row, Value};
use crate::error::{Error, Result};

impl Tables<'_> {
    pub(super) fn do_query(&self, query: &QueryRows) -> Result<Vec<Cells>> {
        check_window(query)?;
        self.on(&query.name, |table| {
            let dialect = self.session.core().dialect();
            let filter = Filter::new(table, &query.filter, dialect)?;
            let order = Order::new(table, &query.order_by)?;
            let mut params = filter.params.clone();
            let here = filter.has_rest() || order.by_document;
            let window = if here { String::new() } else { window(query, dialect, &mut params) };
            let sql = format!(
                "SELECT {}, {} FROM {}{} ORDER BY {}{window}",
                table.current(),
                table.columns_sql().join(", "),
                table.sql(),
                filter.sql(),
                order.sql(table)
            );
            let rows = self.session.read(|exec| exec.query(&sql, &params))?;
            let Some(first) = rows.first() else { return Ok(Answer::IfCurrent(Vec::new())) };
            if !first.bool(0)? {
                return Ok(Answer::Again);
            }
            let rows = rows.into_iter().map(|row| cells(table, row)).collect::<Result<Vec<_>>>()?;
            Ok(Answer::Sure(if here { decide(table, &filter, &order, query, rows) } else { rows }))
        })
    }

    pub(super) fn do_count(&self, count: &CountRows) -> Result<u64> {
        self.on(&count.name, |table| {
            let filter = Filter::new(table, &count.filter, self.session.core().dialect())?;
            if filter.has_rest() {
                return Ok(Answer::IfCurrent(self.count_here(table, &count.filter)?));
            }
            let sql = format!("SELECT {}, count(*) FROM {}{}", table.current(), table.sql(), filter.sql());
            let rows = self.session.read(|exec| exec.query(&sql, &filter.params))?;
            match rows.first() {
                Some(row) if row.bool(0)? => Ok(Answer::Sure(u64::try_from(row.int(1)?).unwrap_or(0))),
                _ => Ok(Answer::Again),
            }
        })
    }

    fn count_here(&self, table: &Table, filter: &Where) -> Result<u64> {
        let query = QueryRows { filter: filter.clone(), ..QueryRows::new(&table.schema.name) };
        Ok(u64::try_from(self.do_query(&query)?.len()).unwrap_or(u64::MAX))
    }
}

fn check_window(query: &QueryRows) -> Result<()> {
    if query.limit.is_some_and(|limit| limit < 0) || query.offset < 0 {
        return Err(Error::invalid("limit and offset are 0 or more; a limit that is left out gives all rows"));
    }
    Ok(())
}

fn window(query: &QueryRows, dialect: Dialect, params: &mut Vec<Value<'_>>) -> String {
    let mut sql = String::new();
    if let Some(limit) = query.limit {
        params.push(limit.into());
        sql = format!(" LIMIT ${}", params.len());
    } else if query.offset > 0 && dialect == Dialect::Sqlite {
        // It takes no offset without a limit.
        sql.push_str(" LIMIT -1");
    }
    if query.offset > 0 {
        params.push(query.offset.into());
        sql.push_str(&format!(" OFFSET ${}", params.len()));
    }
    sql
}

/// A row as it was read, behind whether the table is the one that was meant.
fn cells(table: &Table, row: Row) -> Result<Cells> {
    let values = row.into_values().into_iter().skip(1);
    let columns = table.schema.columns.iter().zip(values);
    columns.map(|(column, value)| Ok((column.name.clone(), given(column, value)?))).collect()
}

/// An order: the columns, and whether from the last to the first; the primary key ends it.
struct Order {
    columns: Vec<(usize, bool)>,
    /// Whether a document is among them, which the databases have different orders of.
    by_document: bool,
}

impl Order {
    fn new(table: &Table, by: &[OrderBy]) -> Result<Self> {
        let mut columns: Vec<(usize, bool)> = Vec::new();
        for OrderBy { column, descending } in by {
            let at = table.position(column, 0).ok_or_else(|| no_column("the order", table))?;
            if !columns.iter().any(|(other, _)| *other == at) {
                columns.push((at, *descending));
            }
        }
        let by_document = columns.iter().any(|(at, _)| table.column(*at).column_type == ColumnType::Json);
        Ok(Self { columns, by_document })
    }

    /// Nulls first ascending, last descending; SQLite has them so, and it is no harm to say it.
    fn sql(&self, table: &Table) -> String {
        let columns: &[(usize, bool)] = if self.by_document { &[] } else { &self.columns };
        let mut parts: Vec<String> = Vec::new();
        for (at, descending) in columns {
            let name = table.column_sql(*at);
            parts.push(match (*at == table.key, descending) {
                // Never null; the index of PostgreSQL's primary key has its nulls last.
                (true, false) => name,
                (true, true) => format!("{name} DESC"),
                (false, false) => format!("{name} NULLS FIRST"),
                (false, true) => format!("{name} DESC NULLS LAST"),
            });
        }
        if !columns.iter().any(|(at, _)| *at == table.key) {
            parts.push(table.key_sql());
        }
        parts.join(", ")
    }

    fn compare(&self, a: &[Key], b: &[Key]) -> Ordering {
        let each = self.columns.iter().zip(a.iter().zip(b)).map(|((_, descending), (a, b))| {
            let ascending = a.compare(b);
            if *descending { ascending.reverse() } else { ascending }
        });
        each.fold(Ordering::Equal, Ordering::then)
    }
}

/// What the databases do not decide alike: the rows that pass, in order, those within the window.
fn decide(table: &Table, filter: &Filter<'_>, order: &Order, query: &QueryRows, rows: Vec<Cells>) -> Vec<Cells> {
    let mut rows: Vec<Cells> = rows.into_iter().filter(|row| filter.passes(table, row)).collect();
    if order.by_document {
        let keys =
            |row: &Cells| order.columns.iter().map(|(at, _)| Key::of(row.get(&table.column(*at).name))).collect();
        let mut keyed: Vec<(Vec<Key>, Cells)> = rows.into_iter().map(|row| (keys(&row), row)).collect();
        // Stable, and they come by the primary key.
        keyed.sort_by(|(a, _), (b, _)| order.compare(a, b));
        rows = keyed.into_iter().map(|(_, row)| row).collect();
    }
    let limit = query.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    rows.into_iter().skip(usize::try_from(query.offset).unwrap_or(usize::MAX)).take(limit).collect()
}

/// What a row is ordered by.
enum Key {
    Cell(Cell),
    Document(Document),
}

impl Key {
    fn of(cell: Option<&Cell>) -> Self {
        match cell {
            Some(Cell::Json(json)) => Self::Document(json.to_value()),
            cell => Self::Cell(cell.cloned().unwrap_or_default()),
        }
    }

    /// Null before everything else; of one column, all others are of one kind.
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Document(a), Self::Document(b)) => order::compare(Some(a), Some(b)),
            (Self::Cell(a), Self::Cell(b)) => match (a, b) {
                (Cell::Bool(a), Cell::Bool(b)) => a.cmp(b),
                (Cell::Int(a), Cell::Int(b)) => a.cmp(b),
                (Cell::Real(a), Cell::Real(b)) => a.total_cmp(b),
                (Cell::Text(a), Cell::Text(b)) => a.cmp(b),
                (Cell::Blob(a), Cell::Blob(b)) => a.cmp(b),
                _ => b.is_null().cmp(&a.is_null()),
            },
            (Self::Cell(_), Self::Document(_)) => Ordering::Less,
            (Self::Document(_), Self::Cell(_)) => Ordering::Greater,
        }
    }
}
