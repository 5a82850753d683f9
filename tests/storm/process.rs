//! Processes that begin together, each with a journal of what it was told.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use sprongus::{Options, Store};
use sprongus_testkit::{Postgres, TempDir, temp_dir, temp_file};

pub(crate) const PROCESSES: usize = 8;

/// Set in a child: the URL, the schema, the folder and its number, a line each.
const TOLD: &str = "SPRONGUS_STORM";

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A database of its own.
pub(crate) struct Place {
    url: String,
    schema: Option<String>,
    _folder: Option<TempDir>,
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        let (folder, file) = temp_file("storm.db");
        Self { url: file.to_str().unwrap().to_owned(), schema: None, _folder: Some(folder) }
    }

    pub(crate) fn postgres(schema: &str) -> Self {
        let schema = Some(format!("{schema}_{}", std::process::id()));
        Self { url: Postgres::shared().url().to_owned(), schema, _folder: None }
    }

    pub(crate) fn open(&self) -> Store {
        Store::open(&self.url, Options { schema: self.schema.clone(), ..Options::default() }).unwrap()
    }
}

/// A child, as it finds itself.
pub(crate) struct Me {
    pub(crate) store: Store,
    pub(crate) number: usize,
    folder: PathBuf,
}

/// What this process was started for, where it is a child.
pub(crate) fn me() -> Option<Me> {
    let told = std::env::var(TOLD).ok()?;
    let lines: Vec<&str> = told.lines().collect();
    let schema = (!lines[1].is_empty()).then(|| lines[1].to_owned());
    let store = Place { url: lines[0].to_owned(), schema, _folder: None }.open();
    Some(Me { store, number: lines[3].parse().unwrap(), folder: lines[2].into() })
}

impl Me {
    /// Waits until all have opened the store.
    pub(crate) fn begin(&self) {
        File::create(self.folder.join(format!("{}.ready", self.number))).unwrap();
        wait(|| self.folder.join("go").exists());
    }

    /// A file that all of them see.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A journal of one of its threads.
    pub(crate) fn journal(&self, thread: usize) -> Journal {
        let path = self.folder.join(format!("{}-{thread}.journal", self.number));
        Journal(OpenOptions::new().create(true).append(true).open(path).unwrap())
    }
}

pub(crate) struct Journal(File);

impl Journal {
    pub(crate) fn line(&mut self, line: &str) {
        self.0.write_all(format!("{line}\n").as_bytes()).unwrap();
    }
}

/// Starts `test` in a process of its own.
pub(crate) fn start(test: &str, place: &Place, folder: &Path, number: usize) -> Child {
    let schema = place.schema.clone().unwrap_or_default();
    let told = format!("{}\n{schema}\n{}\n{number}", place.url, folder.display());
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(TOLD, told)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Runs `test` in eight processes at once; the lines of all journals, and how long they took from the moment they began.
///
/// One storm at a time: what eight processes get done in seconds is judged, and beside thirty more they get little done.
pub(crate) fn storm(test: &str, place: &Place, meanwhile: impl FnOnce()) -> (Vec<String>, Duration) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = temp_dir();
    let start = |number: usize| start(test, place, folder.path(), number);
    let mut children: Vec<Child> = (0..PROCESSES).map(start).collect();
    wait(|| (0..PROCESSES).all(|number| folder.path().join(format!("{number}.ready")).exists()));
    let begun = Instant::now();
    File::create(folder.path().join("go")).unwrap();
    meanwhile();
    for child in &mut children {
        assert!(child.wait().unwrap().success(), "a process of {test} failed: see above");
    }
    let took = begun.elapsed();
    (lines(folder.path()), took)
}

fn lines(folder: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "journal") {
            all.extend(std::fs::read_to_string(path).unwrap().lines().map(str::to_owned));
        }
    }
    all
}

fn wait(until: impl Fn() -> bool) {
    let begun = Instant::now();
    while !until() {
        assert!(begun.elapsed() < PATIENCE, "the processes did not begin");
        sleep(Duration::from_millis(2));
    }
}
