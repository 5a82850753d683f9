//! Reports by a worker, their versions, and a zip of them: `artifacts FOLDER` makes a store and `reports.zip` there.

use std::path::Path;
use std::time::Duration;

use sprongus::artifacts::{ArtifactVersions, PutArtifact};
use sprongus::runs::Enqueue;
use sprongus::worker::{Context, Outcome};
use sprongus::{Error, Json, Options, Result, Store, WorkerOptions};

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).ok_or_else(|| Error::invalid("usage: artifacts FOLDER"))?;
    let folder = Path::new(&folder);
    let store = Store::open(&folder.join("app.db").to_string_lossy(), Options::default())?;

    let worker = store.worker(WorkerOptions::default())?;
    worker.handle("report", |context: &Context| {
        let month = context.input().to_value()["month"].as_str().unwrap_or("unknown").to_owned();
        // An attempt that does it again with the same result makes no second version.
        let put = PutArtifact { if_changed: true, ..PutArtifact::json("report", &month, context.input().clone()) };
        let kept = context.artifact(&put)?;
        Ok(Outcome::Ref(format!("artifact:{}", kept.id)))
    })?;
    for (month, sold) in [("march", 3), ("april", 5), ("march", 4), ("march", 4)] {
        let input = Json::parse(format!(r#"{{"month":"{month}","sold":{sold}}}"#))?;
        store.runs().enqueue(&Enqueue { project: Some("shop".to_owned()), ..Enqueue::new("report", input) })?;
        worker.run_until_idle(Duration::ZERO)?;
    }

    let of_march = ArtifactVersions { project: Some("shop".to_owned()), ..ArtifactVersions::new("report", "march") };
    for version in store.artifacts().versions(&of_march)? {
        println!("march, version {}: {}", version.version, version.json()?);
    }
    let count = store.artifacts().export_zip(&folder.join("reports.zip"), Some("shop"))?;
    println!("{count} reports in reports.zip");
    Ok(())
}
