//! A table and a CSV file kept in step, both ways, and a conflict: `sync [URL] [FILE]`.

use serde_json::json;
use sprongus::artifacts::ArtifactId;
use sprongus::aux_store::{Policy, SyncDiff, SyncTable, UpdateOptions};
use sprongus::{Options, Result, Run, Store};

fn main() -> Result<()> {
    let argument = |n: usize, otherwise: &str| std::env::args().nth(n).unwrap_or_else(|| otherwise.to_owned());
    let (url, file) = (argument(1, "app.db"), argument(2, "prints.csv"));
    let store = Store::open(&url, Options::default())?;
    let prints = store.aux("museum", "assets");
    let sync = SyncTable::new("assets", format!("csv:{file}"));

    write(&file, "id,title\nk-1,The harbour\nk-2,The mill\n");
    tell("first", &store, &prints.sync(&sync)?)?;

    // Each side changes one print, and both change another.
    prints.update("k-1", json!({"title": "The harbour at dawn"}), UpdateOptions::default())?;
    prints.update("k-2", json!({"title": "The old mill"}), UpdateOptions::default())?;
    write(&file, "id,title\nk-1,The harbour\nk-2,The windmill\nk-3,The bridge\n");
    tell("second", &store, &prints.sync(&sync)?)?;

    // Somebody decides.
    tell("third", &store, &prints.sync(&SyncTable { policy: Policy::Provider, ..sync })?)?;
    println!("{}", prints.get("k-2")?.payload.as_str());
    Ok(())
}

fn write(file: &str, text: &str) {
    if let Err(error) = std::fs::write(file, text) {
        eprintln!("{file}: {error}");
    }
}

/// What a sync says it has done.
fn tell(what: &str, store: &Store, run: &Run) -> Result<()> {
    let id = run.output_ref.as_deref().unwrap_or_default().trim_start_matches("artifact:").to_owned();
    let artifact = store.artifacts().get(&ArtifactId { id })?;
    let counts = SyncDiff::parse(&artifact.content.unwrap_or_default())?.counts;
    let (taken, given) =
        (counts.created + counts.updated + counts.deleted, counts.pushed_updated + counts.pushed_created);
    println!("{what}: {taken} taken over, {given} pushed, {} in conflict", counts.unresolved);
    Ok(())
}
