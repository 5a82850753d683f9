//! Follows the feed, and goes on where the process before was killed.

use std::fs::OpenOptions;
use std::path::Path;
use std::time::{Duration, Instant};

use sprongus::Store;
use sprongus::events::{FollowEvents, ReadEvents};

use super::journal::{Journal, lines};
use super::retried;

/// The one journal of all readers: a cursor and the events before it, a line each.
pub(crate) const FILE: &str = "feed";

pub(crate) fn work(store: &Store, path: &Path, until: Instant) {
    let whole = lines(path);
    cut_to(path, &whole);
    let mut journal = Journal::open(path);
    let start = || retried(|| store.events().read(&ReadEvents { limit: 0, ..ReadEvents::default() })).cursor;
    let mut after = whole.last().map_or_else(start, |line| line.split(' ').next().unwrap().to_owned());
    while Instant::now() < until {
        // By turns: a batch, and one event as it comes.
        let read = ReadEvents { after: Some(after.clone()), limit: 20, ..ReadEvents::default() };
        let batch = retried(|| store.events().read(&read));
        let ids: Vec<&str> = batch.items.iter().map(|event| event.id.as_str()).collect();
        journal.say(&[&[batch.cursor.as_str()], ids.as_slice()].concat());
        let follow = FollowEvents { after: Some(batch.cursor), ..FollowEvents::default() };
        let mut follow = retried(|| store.events().follow(&follow));
        if let Some(event) = retried(|| follow.next_within(Duration::from_millis(50))) {
            journal.say(&[&follow.cursor(), &event.id]);
        }
        after = follow.cursor();
    }
}

/// Takes away what the kill left of a line.
fn cut_to(path: &Path, whole: &[String]) {
    if let Ok(file) = OpenOptions::new().write(true).open(path) {
        file.set_len(whole.iter().map(|line| line.len() as u64 + 1).sum()).unwrap();
    }
}

/// The ids of the events that were read, in that order.
pub(crate) fn read_all(folder: &Path) -> Vec<String> {
    let lines = lines(&folder.join(FILE));
    lines.iter().flat_map(|line| line.split(' ').skip(1).map(str::to_owned).collect::<Vec<_>>()).collect()
}
