//! Schemas, rows and queries by chance, against the same in memory: every backend must agree with it, and so all agree.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use sprongus::aux_store::order::{compare, equal};
use sprongus::tables::{
    Cell, Cells, Column, ColumnType, CountRows, Index, OrderBy, QueryRows, TableName, TableSchema, Tables, Test,
};
use sprongus::{Error, ErrorCode, Result};
use sprongus_conformance::{Case, Env};

use super::{EVERY, create, delete, json, put, puts, set};
use crate::aux_random::Chance;

pub(super) fn cases() -> Vec<Case> {
    let covers =
        &["tables.insert", "tables.insert_many", "tables.update", "tables.query", "tables.count", "tables.delete"];
    vec![Case { name: "tables::chance_finds_no_difference_from_memory", covers, transactional: true, run: by_chance }]
}

const SCHEMAS: u64 = 12;
const STEPS: usize = 120;

fn by_chance(env: &Env) {
    env.within(|on| {
        let (mut good, mut bad) = (0, 0);
        for seed in 1..=SCHEMAS {
            let mut chance = Chance(seed * 7_919);
            let mut model = Model::new(schema(&mut chance));
            create(on.tables(), model.schema.clone());
            for step in 0..STEPS {
                let told = model.step(on.tables(), &mut chance, &format!("schema {seed}, step {step}"));
                if told { good += 1 } else { bad += 1 }
            }
            on.tables().drop(&TableName::new("t")).unwrap();
        }
        assert!(good > 300 && bad > 100, "both happen: {good} and {bad}");
    });
}

fn schema(chance: &mut Chance) -> TableSchema {
    let key = match chance.below(3) {
        0 => Column::new("id", ColumnType::Text).primary_key(),
        1 => Column::new("id", ColumnType::Bigint).primary_key(),
        _ => Column::new("id", ColumnType::Integer).primary_key().auto_increment(),
    };
    let mut schema = TableSchema::new("t").column(key);
    for n in 0..2 + chance.below(4) {
        let mut column = Column::new(format!("c{n}"), chance.of(&EVERY));
        if chance.below(5) == 0 {
            column = column.not_null();
        }
        if chance.below(5) == 0 {
            column = column.unique();
        }
        schema = schema.column(column);
    }
    if chance.below(2) == 0 {
        let unique = chance.below(2) == 0;
        schema = schema.index(Index { unique, ..Index::new("t_two", ["c1", "c0"]) });
    }
    schema
}

/// Cells of every kind, few enough that they meet again.
fn cell(chance: &mut Chance) -> Cell {
    let texts = ["", "a", "A", "b", "\u{e9}", "\u{1f642}", "1", "x\ty"];
    let documents = [
        "1",
        "1.0",
        "[1]",
        "[1.0]",
        "{}",
        r#"{"a":1}"#,
        r#"{"a":"x"}"#,
        "\"a\"",
        "1e16",
        "18446744073709551615",
        "true",
    ];
    match chance.below(9) {
        0 => Cell::Null,
        1 => chance.of(&texts).into(),
        2 => chance.of(&[0_i64, 1, 2, 3, -1, i64::MAX, i64::MIN, (1 << 53) + 1]).into(),
        3 => chance.of(&[0.0, -0.0, 0.5, 1.0, 1e16, f64::NAN, 9_223_372_036_854_775_808.0]).into(),
        4 => chance.of(&[vec![], vec![0_u8], vec![0, 255]]).into(),
        5 => json(chance.of(&documents)),
        6 => (chance.below(2) == 0).into(),
        7 => json(r#"{"$bytes":"AP8="}"#),
        _ => chance.of(&["a\0", "a"]).into(),
    }
}

/// A cell that the column takes, but for one in six.
fn for_column(chance: &mut Chance, column: &Column) -> Cell {
    let any = chance.below(6) == 0;
    loop {
        let cell = cell(chance);
        if any || matches!(fit(column.column_type, &cell), Some(fits) if !fits.is_null() || chance.below(3) == 0) {
            return cell;
        }
    }
}

/// What a column of that type keeps of it.
fn fit(holds: ColumnType, cell: &Cell) -> Option<Cell> {
    use ColumnType as T;
    Some(match (holds, cell) {
        (_, Cell::Null) => Cell::Null,
        (T::Text, Cell::Text(text)) if !text.contains('\0') => cell.clone(),
        (T::Integer | T::Bigint, Cell::Int(_)) => cell.clone(),
        (T::Integer | T::Bigint, Cell::Real(value)) if value.fract() == 0.0 && value.abs() < 9.2e18 => {
            Cell::Int(*value as i64)
        }
        (T::Real, Cell::Int(value)) if *value as f64 as i128 == i128::from(*value) => Cell::Real(*value as f64),
        (T::Real, Cell::Real(value)) if value.is_finite() => Cell::Real(*value + 0.0),
        (T::Blob, Cell::Blob(_)) => cell.clone(),
        (T::Blob, Cell::Json(json)) if json.as_str() == r#"{"$bytes":"AP8="}"# => Cell::Blob(vec![0, 255]),
        (T::Boolean, Cell::Bool(_)) => cell.clone(),
        (T::Json, Cell::Json(_)) => cell.clone(),
        (T::Json, Cell::Text(text)) if !text.contains('\0') => json(&serde_json::to_string(text).unwrap()),
        (T::Json, Cell::Int(value)) => json(&value.to_string()),
        (T::Json, Cell::Real(value)) if value.is_finite() => json(&format!("{:?}", *value + 0.0)),
        (T::Json, Cell::Bool(value)) => json(&value.to_string()),
        (T::Real, Cell::Json(number)) if number.as_str().starts_with(|first: char| first.is_ascii_digit()) => {
            let number: u64 = number.as_str().parse().ok()?;
            if number as f64 as u128 == u128::from(number) { Cell::Real(number as f64) } else { return None }
        }
        _ => return None,
    })
}

/// What a call is told: what it gives, or the code and what it names.
type Told<T> = std::result::Result<T, (ErrorCode, BTreeSet<String>)>;

fn told<T>(result: Result<T>) -> Told<T> {
    result.map_err(|error: Error| {
        let names = error.violations_list().into_iter();
        let names = names.map(|one| {
            format!("{}{} {}", one.row.map_or(String::new(), |row| format!("{row} ")), one.path, one.keyword)
        });
        (error.code(), names.collect())
    })
}

struct Model {
    schema: TableSchema,
    rows: Vec<Vec<Cell>>,
    last: i64,
    /// Whether nothing was refused after it took a number, which leaves a gap on PostgreSQL.
    exact: bool,
}

impl Model {
    fn new(schema: TableSchema) -> Self {
        Self { schema, rows: Vec::new(), last: 0, exact: true }
    }

    fn numbered(&self) -> bool {
        self.schema.columns[0].is(sprongus::tables::Constraint::AutoIncrement)
    }

    /// One call, on the store and here; whether it was good.
    fn step(&mut self, on: Tables<'_>, chance: &mut Chance, place: &str) -> bool {
        match chance.below(8) {
            0 | 1 => self.insert(on, chance, 1, place),
            2 => self.insert(on, chance, 2 + chance.0 as usize % 4, place),
            3 | 4 => self.update(on, chance, place),
            5 if chance.below(3) == 0 => self.remove(on, chance, place),
            _ => self.query(on, chance, place),
        }
    }

    fn cells(&self, chance: &mut Chance, leave_out: usize) -> Cells {
        let mut cells = Cells::new();
        for (at, column) in self.schema.columns.iter().enumerate() {
            let kept = if at == 0 { chance.below(2) == 0 } else { chance.below(leave_out) > 0 };
            if kept {
                cells.set(&column.name, for_column(chance, column));
            }
        }
        if chance.below(40) == 0 {
            cells.set("nobody", 1);
        }
        cells
    }

    /// The cells as they are kept, and what is wrong with them.
    fn judge(&self, cells: &Cells, whole: bool) -> (Vec<Option<Cell>>, BTreeSet<String>) {
        let (mut kept, mut wrong) = (vec![None; self.schema.columns.len()], BTreeSet::new());
        for (name, cell) in cells.iter() {
            match self.schema.columns.iter().position(|column| column.name == name) {
                None => drop(wrong.insert(format!("/{name} additionalProperties"))),
                Some(at) => match fit(self.schema.columns[at].column_type, cell) {
                    None => drop(wrong.insert(format!("/{name} type"))),
                    Some(cell) => kept[at] = Some(cell),
                },
            }
        }
        for (at, column) in self.schema.columns.iter().enumerate() {
            let generated = at == 0 && whole && (self.numbered() || column.column_type == ColumnType::Text);
            let required = (at == 0 || column.is(sprongus::tables::Constraint::NotNull)) && !generated;
            let null = kept[at].as_ref().map_or(whole, Cell::is_null);
            if required && null && !wrong.contains(&format!("/{} type", column.name)) {
                wrong.insert(format!("/{} required", column.name));
            }
        }
        (kept, wrong)
    }

    /// What no two rows may have in common, in order.
    fn uniques(&self) -> Vec<Vec<usize>> {
        let unique = |at: &usize| self.schema.columns[*at].is(sprongus::tables::Constraint::Unique);
        let columns = (1..self.schema.columns.len()).filter(unique).map(|at| vec![at]);
        let index = self.schema.indexes.iter().filter(|index| index.unique).map(|_| vec![2, 1]);
        std::iter::once(vec![0]).chain(columns).chain(index).collect()
    }

    fn rival(&self, row: &[Cell], but: Option<usize>, among: &[Vec<Cell>]) -> Option<String> {
        let meets = |unique: &Vec<usize>, other: &Vec<Cell>| {
            unique.iter().all(|at| !row[*at].is_null() && row[*at] == other[*at])
        };
        let others = || among.iter().enumerate().filter(|(at, _)| Some(*at) != but);
        let met = self.uniques().into_iter().find(|unique| others().any(|(_, other)| meets(unique, other)))?;
        Some(format!("/{} unique", self.schema.columns[met[0]].name))
    }

    fn insert(&mut self, on: Tables<'_>, chance: &mut Chance, count: usize, place: &str) -> bool {
        let given: Vec<Cells> = (0..count).map(|_| self.cells(chance, 6)).collect();
        let result = match given.as_slice() {
            [one] => told(put(on, one.clone()).map(|id| vec![id])),
            many => told(puts(on, many.to_vec())),
        };
        let number = |at: usize| if count == 1 { String::new() } else { format!("{} ", at + 1) };
        let judged: Vec<_> = given.iter().map(|cells| self.judge(cells, true)).collect();
        let wrong: BTreeSet<String> = judged
            .iter()
            .enumerate()
            .flat_map(|(at, (_, wrong))| wrong.iter().map(move |one| number(at) + one))
            .collect();
        if !wrong.is_empty() {
            assert_eq!(result, Err((ErrorCode::Validation, wrong)), "{place}: {given:?}");
            return false;
        }
        if self.numbered() && self.runs_out(judged.iter().map(|(kept, _)| kept[0].as_ref())) {
            assert_eq!(result, Err((ErrorCode::StorageFull, BTreeSet::new())), "{place}");
            return false;
        }
        let mut after = self.rows.clone();
        let mut last = self.last;
        for (at, (kept, _)) in judged.into_iter().enumerate() {
            let mut row: Vec<Cell> = kept.into_iter().map(Option::unwrap_or_default).collect();
            let given = !row[0].is_null();
            if let (true, Ok(ids)) = (!given, &result) {
                row[0] = if self.numbered() { ids[at].parse::<i64>().unwrap().into() } else { ids[at].as_str().into() };
            }
            if let Some(rival) = self.rival(&row, None, &after) {
                self.exact = false;
                assert_eq!(
                    result,
                    Err((ErrorCode::Conflict, [number(at) + &rival].into())),
                    "{place}: {:?}",
                    self.schema
                );
                return false;
            }
            if let (true, Cell::Int(number)) = (self.numbered(), &row[0]) {
                assert!(
                    given || (if self.exact { *number == last + 1 } else { *number > last }),
                    "{place}: {number} after {last}"
                );
                last = last.max(*number);
            }
            after.push(row);
        }
        let ids: Vec<String> = after[self.rows.len()..].iter().map(|row| id(&row[0])).collect();
        assert_eq!(result, Ok(ids), "{place}: {given:?}");
        (self.rows, self.last) = (after, last);
        true
    }

    /// Whether a number is wanted after the highest there is: that is seen before anything else of a row.
    fn runs_out<'c>(&self, keys: impl Iterator<Item = Option<&'c Cell>>) -> bool {
        let mut last = self.last;
        keys.into_iter().any(|key| match key {
            Some(Cell::Int(number)) => {
                last = last.max(*number);
                false
            }
            _ => {
                let out = last == i64::MAX;
                last = last.saturating_add(1);
                out
            }
        })
    }

    fn some_id(&self, chance: &mut Chance) -> String {
        match self.rows.is_empty() || chance.below(8) == 0 {
            true => "nobody".to_owned(),
            false => id(&self.rows[chance.below(self.rows.len())][0]),
        }
    }

    fn update(&mut self, on: Tables<'_>, chance: &mut Chance, place: &str) -> bool {
        let (which, cells) = (self.some_id(chance), self.cells(chance, 2));
        let result = told(set(on, &which, cells.clone()));
        let (kept, wrong) = self.judge(&cells, false);
        if !wrong.is_empty() {
            assert_eq!(result, Err((ErrorCode::Validation, wrong)), "{place}: {cells:?}");
            return false;
        }
        let at = self.rows.iter().position(|row| id(&row[0]) == which);
        let moved = kept[0].as_ref().is_some_and(|key| id(key) != which);
        if self.numbered() && moved && which != "nobody" {
            assert_eq!(result, Err((ErrorCode::Validation, ["/id autoIncrement".to_owned()].into())), "{place}");
            return false;
        }
        let Some(at) = at else {
            assert_eq!(result, Err((ErrorCode::NotFound, BTreeSet::new())), "{place}");
            return false;
        };
        let row: Vec<Cell> = self.rows[at].iter().zip(kept).map(|(is, to)| to.unwrap_or_else(|| is.clone())).collect();
        if let Some(rival) = self.rival(&row, Some(at), &self.rows) {
            assert_eq!(result, Err((ErrorCode::Conflict, [rival].into())), "{place}: {cells:?}");
            return false;
        }
        assert_eq!(result, Ok(()), "{place}: {cells:?}");
        self.rows[at] = row;
        true
    }

    fn remove(&mut self, on: Tables<'_>, chance: &mut Chance, place: &str) -> bool {
        let which = self.some_id(chance);
        let result = told(delete(on, &which));
        let at = self.rows.iter().position(|row| id(&row[0]) == which);
        match at {
            Some(at) => drop(self.rows.remove(at)),
            None => assert_eq!(result, Err((ErrorCode::NotFound, BTreeSet::new())), "{place}"),
        }
        assert_eq!(result.is_ok(), at.is_some(), "{place}");
        at.is_some()
    }

    fn query(&self, on: Tables<'_>, chance: &mut Chance, place: &str) -> bool {
        let mut query = QueryRows::new("t");
        for column in &self.schema.columns {
            if chance.below(4) == 0 {
                let cells: Vec<Cell> = (0..chance.below(4)).map(|_| self.asked(chance, column)).collect();
                query
                    .filter
                    .set(&column.name, if cells.len() == 1 { Test::Is(cells[0].clone()) } else { Test::In(cells) });
            }
        }
        for _ in 0..chance.below(3) {
            let column = chance.of(&self.schema.columns).name;
            query.order_by.push(OrderBy { column, descending: chance.below(2) == 0 });
        }
        query.limit = (chance.below(2) == 0).then(|| chance.below(6) as i64);
        query.offset = if chance.below(2) == 0 { chance.below(4) as i64 } else { 0 };
        let result = told(on.query(&query));
        let counted = told(on.count(&CountRows { name: "t".to_owned(), filter: query.filter.clone() }));
        let wrong: BTreeSet<String> = query
            .filter
            .iter()
            .filter(|(name, test)| {
                let holds = self.schema.columns.iter().find(|column| column.name == *name).unwrap().column_type;
                cells(test).iter().any(|cell| fit(holds, cell).is_none())
            })
            .map(|(name, _)| format!("/{name} type"))
            .collect();
        if !wrong.is_empty() {
            assert_eq!(result, Err((ErrorCode::Validation, wrong.clone())), "{place}: {query:?}");
            assert_eq!(counted, Err((ErrorCode::Validation, wrong)));
            return false;
        }
        let passing = self.passing(&query);
        assert_eq!(counted, Ok(passing.len() as u64), "{place}: {query:?}");
        let window = passing
            .into_iter()
            .skip(query.offset as usize)
            .take(query.limit.map_or(usize::MAX, |limit| limit as usize));
        let expected: Vec<Cells> = window
            .map(|row| self.schema.columns.iter().map(|column| column.name.as_str()).zip(row).collect())
            .collect();
        assert_eq!(result, Ok(expected), "{place}: {query:?}");
        true
    }

    /// Often what a row has.
    fn asked(&self, chance: &mut Chance, column: &Column) -> Cell {
        let at = self.schema.columns.iter().position(|other| other == column).unwrap();
        match self.rows.is_empty() || chance.below(3) == 0 {
            true => for_column(chance, column),
            false => self.rows[chance.below(self.rows.len())][at].clone(),
        }
    }

    fn passing(&self, query: &QueryRows) -> Vec<Vec<Cell>> {
        let at = |name: &str| self.schema.columns.iter().position(|column| column.name == name).unwrap();
        let passes = |row: &&Vec<Cell>| {
            query.filter.iter().all(|(name, test)| {
                let holds = self.schema.columns[at(name)].column_type;
                cells(test).iter().any(|cell| same(&fit(holds, cell).unwrap(), &row[at(name)]))
            })
        };
        let mut rows: Vec<Vec<Cell>> = self.rows.iter().filter(passes).cloned().collect();
        rows.sort_by(|a, b| {
            let by = query.order_by.iter().map(|by| {
                let order = order(&a[at(&by.column)], &b[at(&by.column)]);
                if by.descending { order.reverse() } else { order }
            });
            by.fold(Ordering::Equal, Ordering::then).then_with(|| order(&a[0], &b[0]))
        });
        rows
    }
}

fn cells(test: &Test) -> Vec<Cell> {
    match test {
        Test::Is(cell) => vec![cell.clone()],
        Test::In(cells) => cells.clone(),
    }
}

fn id(cell: &Cell) -> String {
    match cell {
        Cell::Int(number) => number.to_string(),
        Cell::Text(text) => text.clone(),
        _ => String::new(),
    }
}

fn same(a: &Cell, b: &Cell) -> bool {
    match (a, b) {
        (Cell::Json(a), Cell::Json(b)) => equal(&a.to_value(), &b.to_value()),
        (a, b) => a == b,
    }
}

fn order(a: &Cell, b: &Cell) -> Ordering {
    match (a, b) {
        (Cell::Json(a), Cell::Json(b)) => compare(Some(&a.to_value()), Some(&b.to_value())),
        (Cell::Bool(a), Cell::Bool(b)) => a.cmp(b),
        (Cell::Int(a), Cell::Int(b)) => a.cmp(b),
        (Cell::Real(a), Cell::Real(b)) => a.total_cmp(b),
        (Cell::Text(a), Cell::Text(b)) => a.cmp(b),
        (Cell::Blob(a), Cell::Blob(b)) => a.cmp(b),
        (a, b) => b.is_null().cmp(&a.is_null()),
    }
}
