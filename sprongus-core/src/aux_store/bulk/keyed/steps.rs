//! The keys and references of created entries, step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::aux_store::bulk::pace::{Held, Pace};
use crate::aux_store::bulk::stepped::Stepped;
use crate::aux_store::rows::{self, Place};
use crate::aux_store::unseen::{self, Undone};
use crate::db::{Executor, Row, Value};
use crate::error::Result;
use crate::session::Work;

const KEYS_OF_ENTRIES: &str = "sprongus_aux_keys";
const KEYS: [&str; 6] = ["project_id", "table_name", "field", "key", "entry_id", "is_unique"];
const REFS: [&str; 6] = ["project_id", "from_table", "from_id", "field", "to_table", "to_id"];

/// Of an entry that is created here, and does not wait for the last transaction.
const CREATED: &str = "CROSS JOIN sprongus_stage s ON s.row_number = k.row_number AND s.base = 0 \
    WHERE NOT EXISTS (SELECT 1 FROM sprongus_stage_waiting w WHERE w.row_number = k.row_number)";

/// Rows for one of the library's tables, and the ids of the entries they are of.
#[derive(Default)]
struct Links<'v> {
    ids: Vec<String>,
    values: Vec<Vec<Value<'v>>>,
    /// What an entry may not be without: its number here, the table and the id.
    needed: Vec<(usize, String, String)>,
}

impl Stepped<'_> {
    /// Unique ones in their own order, which two of the three indexes have, others in that of the rows: of these the third
    /// has it, and they are often few values. What is written out of order takes a page each.
    pub(in crate::aux_store::bulk) fn write_keys(&mut self) -> Result<()> {
        let keys = format!(
            "SELECT s.id, k.field, k.key, k.is_unique, k.row_number, k.rowid FROM sprongus_stage_keys k {CREATED}"
        );
        let in_order = format!(
            "{keys} AND k.is_unique = 1 AND (k.field, k.key, k.row_number) > ($1, $2, $3) \
             ORDER BY k.field, k.key, k.row_number LIMIT $4"
        );
        self.write_each_key(&in_order, ["".into(), Vec::new().into(), 0.into()], [1, 2, 4])?;
        let by_row = format!("{keys} AND k.is_unique = 0 AND k.rowid > $1 ORDER BY k.rowid LIMIT $2");
        self.write_each_key(&by_row, [0.into()], [5])
    }

    /// Writes keys page by page: each begins `after` the last row's values of those columns.
    fn write_each_key<const N: usize>(
        &mut self,
        sql: &str,
        mut after: [Value<'static>; N],
        columns: [usize; N],
    ) -> Result<()> {
        let (project, table) = (self.place.project, self.place.table);
        let mut pace = Pace::default();
        while let Some(found) = self.staged(sql, &after, &pace)? {
            let mut links = Links::default();
            for row in found.iter().filter(|row| !self.is_amiss(row)) {
                let (field, key, unique) = (row.text(1)?, row.opt_bytes(2)?.unwrap_or_default(), row.int(3)? == 1);
                links.ids.push(row.text(0)?);
                let id = row.text(0)?.into();
                links.values.push(vec![project.into(), table.into(), field.into(), key.into(), id, unique.into()]);
            }
            if let Some(last) = found.last() {
                after = columns.map(|column| last.values()[column].clone());
            }
            self.write_links(KEYS_OF_ENTRIES, &KEYS, &links, &mut pace)?;
        }
        Ok(())
    }

    pub(in crate::aux_store::bulk) fn write_refs(&mut self) -> Result<()> {
        let sql = format!(
            "SELECT s.id, k.field, k.to_table, k.to_id, k.strict, k.rowid FROM sprongus_stage_refs k {CREATED} \
             AND k.to_id <> '' AND k.rowid > $1 ORDER BY k.rowid LIMIT $2"
        );
        let (project, table) = (self.place.project, self.place.table);
        let (mut after, mut pace): ([Value<'static>; 1], _) = ([0.into()], Pace::default());
        while let Some(found) = self.staged(&sql, &after, &pace)? {
            let mut links = Links::default();
            for row in found.iter().filter(|row| !self.is_amiss(row)) {
                let (id, field, to_table, to_id) = (row.text(0)?, row.text(1)?, row.text(2)?, row.text(3)?);
                if row.int(4)? == 1 {
                    links.needed.push((links.ids.len(), to_table.clone(), to_id.clone()));
                }
                links.ids.push(id.clone());
                let values = [id, field, to_table, to_id].map(Value::from);
                links.values.push([project.into(), table.into()].into_iter().chain(values).collect());
            }
            if let Some(last) = found.last() {
                after = [last.int(5)?.into()];
            }
            self.write_links("sprongus_aux_refs", &REFS, &links, &mut pace)?;
        }
        Ok(())
    }

    /// Whether an entry is met again at the end.
    fn is_amiss(&self, row: &Row) -> bool {
        matches!(row.values(), [Value::Text(id), ..] if self.amiss.contains(&**id))
    }

    /// The next rows out of the temporary tables; none where there are no more.
    fn staged(&mut self, sql: &str, after: &[Value<'static>], pace: &Pace) -> Result<Option<Vec<Row>>> {
        self.batch.live()?;
        let Some(keyed) = &mut self.keyed else { return Ok(None) };
        let mut params = after.to_vec();
        params.push(i64::try_from(pace.rows).unwrap_or(i64::MAX).into());
        let found = keyed.scratch.get_mut().query(sql, &params)?;
        Ok(Some(found).filter(|found| !found.is_empty()))
    }

    /// One step. An entry whose value others have taken by now, or what it needs, is undone, to be met again at the end.
    fn write_links(&mut self, into: &str, columns: &[&str], links: &Links<'_>, pace: &mut Pace) -> Result<()> {
        let Some(last) = links.ids.last() else { return Ok(()) };
        pace.rest();
        let (lost, held) = self.batch.step(|work| {
            let start = Instant::now();
            let mut lost = self.bereft_of(work.exec(), links)?;
            let left_out = &self.taken(work, &links.ids)? | &lost;
            let unless = |number: &usize| !left_out.contains(&links.ids[*number]);
            let there = match left_out.is_empty() {
                true => work.exec().load_new(into, columns, &links.values)?,
                false => {
                    let numbers: Vec<usize> = (0..links.ids.len()).filter(unless).collect();
                    let values: Vec<_> = numbers.iter().map(|number| links.values[*number].clone()).collect();
                    let there = work.exec().load_new(into, columns, &values)?;
                    there.into_iter().map(|number| numbers[number]).collect()
                }
            };
            if into == KEYS_OF_ENTRIES {
                lost.extend(there.into_iter().map(|number| links.ids[number].clone()));
            }
            let mut undone = Vec::with_capacity(lost.len());
            for id in lost {
                if unseen::undo(work.exec(), self.place, self.batch.id, &id)? == Undone::Created {
                    undone.push(id);
                }
            }
            Ok((undone, Held { waited: work.waited(), work: start.elapsed() }))
        })?;
        pace.stepped(links.ids.len(), held);
        self.report.created -= lost.len() as u64;
        self.amiss.extend(lost);
        if let Some(keyed) = &mut self.keyed {
            keyed.written = Some(last.clone());
        }
        Ok(())
    }

    /// Entries that must refer to what is not there any more.
    fn bereft_of(&self, exec: &mut dyn Executor, links: &Links<'_>) -> Result<BTreeSet<String>> {
        let mut by_table: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (_, table, id) in links.needed.iter().filter(|(_, table, id)| !self.is_given(table, id)) {
            by_table.entry(table).or_default().push(id);
        }
        let mut bereft = BTreeSet::new();
        for (table, ids) in by_table {
            let sql = format!("SELECT id FROM {}", rows::named(exec, Place { table, ..self.place })?);
            let there = exec.query(&sql, &[self.place.project.into(), table.into(), rows::ids(&ids)])?;
            let there = there.iter().map(|row| row.text(0)).collect::<Result<BTreeSet<_>>>()?;
            let gone =
                |(_, to, id): &&(usize, String, String)| to == table && !self.is_given(to, id) && !there.contains(id);
            bereft.extend(links.needed.iter().filter(gone).map(|(number, ..)| links.ids[*number].clone()));
        }
        Ok(bereft)
    }

    /// Which of these entries others have written.
    fn taken(&self, work: &mut Work<'_>, ids: &[String]) -> Result<BTreeSet<String>> {
        let rivals = self.rivals(work.exec())?;
        let mut taken = BTreeSet::new();
        for id in ids.iter().filter(|id| rivals.contains_key(*id)) {
            if !self.is_ours(work, id)? {
                taken.insert(id.clone());
            }
        }
        Ok(taken)
    }
}
