//! Imports run in a process of their own, so that its peak memory is theirs.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// What a child does.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) how: String,
    pub(crate) store: String,
    pub(crate) csv: String,
}

/// What a child measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) seconds: f64,
    /// Peak over what the process held before, in MB (10^6 bytes).
    pub(crate) megabytes: f64,
    /// Seconds of processors that the process took, its kernel work included.
    pub(crate) processor: f64,
}

const FLAG: &str = "--child";

/// The job of this process, where it is a child.
pub(crate) fn asked(arguments: &[String]) -> Option<Job> {
    match arguments {
        [flag, how, store, csv] if flag == FLAG => {
            Some(Job { how: how.clone(), store: store.clone(), csv: csv.clone() })
        }
        _ => None,
    }
}

/// Runs a child to its end.
pub(crate) fn run(how: &str, store: &str, csv: &Path) -> Measured {
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child.args([FLAG, how, store]).arg(csv).output().unwrap();
    assert!(output.status.success(), "{how} failed: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut numbers = text.split_whitespace().map(|word| word.parse().unwrap());
    let mut next = || numbers.next().unwrap();
    Measured { seconds: next(), megabytes: next(), processor: next() }
}

/// In the child: measures `work` and tells the parent.
pub(crate) fn tell(work: impl FnOnce()) {
    // Linux: writing 5 sets the peak back to the present.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = kilobytes("VmRSS:");
    let (start, spent) = (Instant::now(), processor());
    work();
    let (seconds, spent) = (start.elapsed().as_secs_f64(), processor() - spent);
    let megabytes = kilobytes("VmHWM:").saturating_sub(before) as f64 * 1024.0 / 1e6;
    println!("{seconds} {megabytes} {spent}");
}

/// Seconds of user and system time of all threads: proc(5) counts hundredths, and the name before them may hold blanks.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

fn kilobytes(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
