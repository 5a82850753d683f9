//! A process that is killed in the middle of a sync: the next one does the rest, and nothing twice.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Map, Value, json};
use sprongus::aux_store::providers::{Capabilities, Changes, Provider, Pulled};
use sprongus::aux_store::{ListQuery, OnReferenced, PutProfile, SyncTable, UpdateOptions};
use sprongus::runs::{GetRun, ListRuns};
use sprongus::{Error, Options, Result, RunState, Store, WorkerOptions};
use sprongus_testkit::{Postgres, temp_dir};

use crate::child;

/// Where the process dies.
const MOMENTS: [&str; 4] = ["pulling", "before_push", "in_push", "after_push"];

/// A source in a folder: a file for each document, and a journal of what pushes changed.
struct Drawer {
    folder: PathBuf,
    dies: String,
}

impl Drawer {
    fn dies_at(&self, moment: &str) {
        if self.dies == moment {
            fs::write(self.folder.join("died"), moment).unwrap();
            std::process::abort();
        }
    }

    fn file(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    /// Changes a document, and notes it where that is a change.
    fn change(&self, id: &str, document: Option<&Value>) {
        let text = document.map(Value::to_string);
        if fs::read_to_string(self.file(id)).ok() == text {
            return;
        }
        match text {
            Some(text) => fs::write(self.file(id), text).unwrap(),
            None => fs::remove_file(self.file(id)).unwrap(),
        }
        let journal = fs::read_to_string(self.folder.join("journal")).unwrap_or_default();
        fs::write(self.folder.join("journal"), format!("{journal}{id}\n")).unwrap();
    }
}

impl Provider for Drawer {
    fn capabilities(&self) -> Capabilities {
        Capabilities { read: true, write: true }
    }

    fn pull(&mut self, _: &str, _: &str) -> Result<Pulled<'_>> {
        let documents = documents(&self.folder);
        Ok(Box::new(documents.into_iter().enumerate().map(|(n, (id, mut document))| {
            if n == 2 {
                self.dies_at("pulling");
            }
            document["id"] = json!(id);
            Ok(document)
        })))
    }

    fn push(&mut self, _: &str, _: &str, changes: &Changes) -> Result<()> {
        self.dies_at("before_push");
        for document in changes.created.iter().chain(&changes.updated) {
            let mut document = document.clone();
            let id = document.remove("id").unwrap();
            self.change(id.as_str().unwrap(), Some(&Value::Object(document)));
            self.dies_at("in_push");
        }
        changes.deleted.iter().for_each(|id| self.change(id, None));
        self.dies_at("after_push");
        Ok(())
    }
}

/// What is in the drawer, by id.
fn documents(folder: &Path) -> BTreeMap<String, Value> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let documents = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let read = |path: PathBuf| {
        let id = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (id, serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap())
    };
    documents.map(read).collect()
}

fn open(url: &str, schema: &str, folder: &Path, dies: &str) -> Store {
    let schema = (!schema.is_empty()).then(|| schema.to_owned());
    let store = Store::open(url, Options { schema, ..Options::default() }).unwrap();
    let (folder, dies) = (folder.to_owned(), dies.to_owned());
    let factory = move |_: &Map<String, Value>| -> Result<Box<dyn Provider>> {
        Ok(Box::new(Drawer { folder: folder.clone(), dies: dies.clone() }))
    };
    store.providers().register("drawer", std::sync::Arc::new(factory)).unwrap();
    store
}

fn sync(store: &Store) -> Result<sprongus::Run, Error> {
    store.aux("p", "assets").sync(&SyncTable::new("assets", "drawer"))
}

fn entries(store: &Store) -> BTreeMap<String, Value> {
    let page = store.aux("p", "assets").list(&ListQuery::default()).unwrap();
    page.iter().map(|entry| (entry.id.clone(), entry.payload.to_value())).collect()
}

/// The victim: syncs until it dies.
fn victim(told: &str) {
    let words: Vec<&str> = told.split('\n').collect();
    let store = open(words[0], words[1], Path::new(words[2]), words[3]);
    let survived = sync(&store);
    panic!("it did not die: {survived:?}");
}

fn killed(test: &str, url: &str, schema: &str, moment: &str) {
    let folder = temp_dir();
    let put =
        |id: &str, document: Value| fs::write(folder.path().join(format!("{id}.json")), document.to_string()).unwrap();
    ["a", "b", "c", "d", "e"].into_iter().for_each(|id| put(id, json!({"t": 1})));
    let store = open(url, schema, folder.path(), "");
    let profile = PutProfile { name: "drawer".into(), kind: "drawer".into(), config: Map::new() };
    store.providers().put(&profile).unwrap();
    sync(&store).unwrap();
    let assets = store.aux("p", "assets");
    put("a", json!({"t": 2}));
    fs::remove_file(folder.path().join("b.json")).unwrap();
    assets.update("c", json!({"t": 2}), UpdateOptions::default()).unwrap();
    assets.delete("d", OnReferenced::Restrict).unwrap();
    for id in ["own-1", "own-2"] {
        assets.create(json!({"id": id, "t": 7}), None).unwrap();
    }

    let told = [url, schema, folder.path().to_str().unwrap(), moment].join("\n");
    let status = child::command(test, &told, "").stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(!status.success(), "{moment}");
    let died = fs::read_to_string(folder.path().join("died")).unwrap_or_default();
    assert_eq!(died, moment, "it died where it was to");
    let run = store.runs().list(&ListRuns::default()).unwrap().items.remove(0);
    assert_eq!(run.state, RunState::Running, "nobody could say that it failed");

    // It waits until the lease of the dead one has run out, and then does what is left.
    sync(&store).unwrap();
    let wanted = [("a", 2), ("c", 2), ("e", 1), ("own-1", 7), ("own-2", 7)];
    let wanted: BTreeMap<String, Value> = wanted.into_iter().map(|(id, t)| (id.to_owned(), json!({"t": t}))).collect();
    assert_eq!((entries(&store), documents(folder.path())), (wanted.clone(), wanted), "{moment}");
    let journal = fs::read_to_string(folder.path().join("journal")).unwrap();
    let mut pushed: Vec<&str> = journal.lines().collect();
    pushed.sort_unstable();
    assert_eq!(pushed, ["c", "d", "own-1", "own-2"], "{moment}: each change reached the source once");
    let versions = ["a", "c", "e", "own-1"].map(|id| assets.get(id).unwrap().version);
    assert_eq!(versions, [2, 2, 1, 1], "{moment}: and the table once");

    // The run of the dead one is in the queue again; a worker finds nothing left to do.
    let worker = store.worker(WorkerOptions::default()).unwrap();
    worker.serve_sync().unwrap();
    worker.run_until_idle(Duration::ZERO).unwrap();
    let run = store.runs().get(&GetRun::new(&run.id)).unwrap();
    assert_eq!((run.state, run.attempt), (RunState::Succeeded, 2), "{moment}");
    assert_eq!(fs::read_to_string(folder.path().join("journal")).unwrap(), journal, "{moment}");
}

/// All moments at once, each in a store of its own: the lease of the dead takes its time.
fn at_every_moment(test: &str, place: impl Fn(&str) -> (String, String)) {
    std::thread::scope(|scope| {
        for moment in MOMENTS {
            let (url, schema) = place(moment);
            scope.spawn(move || killed(test, &url, &schema, moment));
        }
    });
}

#[test]
fn a_sync_that_was_killed_is_made_up_for_on_sqlite() {
    if let Some(told) = child::told() {
        return victim(&told);
    }
    let folder = temp_dir();
    let place = |moment: &str| (folder.path().join(moment).to_str().unwrap().to_owned(), String::new());
    at_every_moment("syncs::a_sync_that_was_killed_is_made_up_for_on_sqlite", place);
}

#[test]
fn a_sync_that_was_killed_is_made_up_for_on_postgres() {
    if let Some(told) = child::told() {
        return victim(&told);
    }
    let url = Postgres::shared().url();
    at_every_moment("syncs::a_sync_that_was_killed_is_made_up_for_on_postgres", |moment| {
        (url.to_owned(), format!("killed_{moment}"))
    });
}
