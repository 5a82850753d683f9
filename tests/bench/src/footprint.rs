//! What the library costs before it does anything: to import, to open, to hold, to ship.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Effort;
use crate::by_hand::Queue;
use crate::door::{built, python};
use crate::ground::On;
use crate::ours::{Ours, open};
use crate::places::Places;
use crate::process;
use crate::sample::{Sample, alone, micros, rounds};
use crate::table::{Table, Target};

pub(crate) fn measure(places: &Places, effort: Effort, table: &mut Table) {
    let url = On::Full.create(places);
    Ours(open(&url)).enqueue();
    table.heading("At rest");
    let run = |code: &str| micros(1, || assert!(python().args(["-c", code]).status().unwrap().success())) / 1e3;
    let count = effort.rounds.div_ceil(3);
    let [with, without] = rounds(count, [&mut || run("import sprongus"), &mut || run("pass")]);
    table.times("Python: import sprongus, beside pass, ms", [&with, &without], Target::None);
    table.line("  more than pass, ms", &with.less(&without), Target::AtMost(30.0));

    let opened: Sample = alone(count, 1, || drop(open(&url))).millis();
    table.line("SQLite: open a store that is there, ms", &opened, Target::AtMost(5.0));
    let idle = (0..5).map(|_| process::run("idle", &url, Path::new("")).megabytes).collect();
    table.line("SQLite: memory of an idle store over the process's base, MB", &idle, Target::AtMost(10.0));

    sizes(table);
}

/// In a child: opens a store and looks into it.
pub(crate) fn work(job: &process::Job) {
    process::tell(|| {
        let store = open(&job.store);
        assert_eq!(store.runs().list(&Default::default()).unwrap().items.len(), 1);
    });
}

fn sizes(table: &mut Table) {
    for (what, library) in [
        ("libsprongus.so", built("../release/libsprongus.so")),
        ("the Python module", built("python/sprongus/_sprongus.abi3.so")),
    ] {
        let stripped = std::env::temp_dir().join(format!("sprongus-bench-{}.so", std::process::id()));
        assert!(Command::new("strip").arg("-o").arg(&stripped).arg(&library).status().unwrap().success());
        let bytes = std::fs::metadata(&stripped).unwrap().len();
        std::fs::remove_file(&stripped).unwrap();
        table.most(&format!("{what}, stripped, MB"), bytes as f64 / 1e6, Target::None);
    }
    let parts = by_crate(&built("../release/libsprongus.so"));
    let most: Vec<String> =
        parts.iter().take(8).map(|(name, bytes)| format!("{name} {:.2}", *bytes as f64 / 1e6)).collect();
    table.note(&format!("libsprongus.so, MB of code and data by symbol: {}", most.join(", ")));
}

/// The bytes of a library's symbols by the crate they come from, the largest first; `C` is what has no Rust name.
fn by_crate(library: &Path) -> Vec<(String, u64)> {
    let mut nm = Command::new("nm");
    let output =
        nm.args(["--size-sort", "--demangle", "--radix=d"]).arg(library).stderr(Stdio::null()).output().unwrap();
    let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let mut words = line.splitn(3, ' ');
        let (Some(size), Some(_), Some(name)) = (words.next(), words.next(), words.next()) else { continue };
        *sizes.entry(crate_of(name)).or_default() += size.parse::<u64>().unwrap_or(0);
    }
    let mut sizes: Vec<_> = sizes.into_iter().collect();
    sizes.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    sizes
}

fn crate_of(symbol: &str) -> String {
    let Some((path, _)) = symbol.split_once("::") else { return "C".to_owned() };
    let name = path.trim_start_matches(['<', '&', '*', '(', '[']);
    let name = name.split(' ').next_back().unwrap_or(name);
    name.split('[').next().unwrap_or(name).to_owned()
}
