//! The last of three at one desk: `desk STORE NAME` prints what C (desk.c) and Python (desk.py) have left, and clears it away.

use sprongus::config::ListConfig;
use sprongus::projects::{DeleteProject, ProjectId};
use sprongus::tables::{QueryRows, TableName};
use sprongus::{Error, ErrorCode, Options, Result, Store};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(name)) = (arguments.next(), arguments.next()) else {
        return Err(Error::invalid("usage: desk STORE NAME"));
    };
    let store = Store::open(&url, Options::default())?;
    let project = store.projects().get(&ProjectId::new(&name))?;
    println!("{} is {}", project.name, project.status);
    let settings = store.config().list(&ListConfig { project: Some(name.clone()), ..ListConfig::default() })?;
    for (key, value) in &settings {
        println!("{key} = {}", value.as_str());
    }
    for row in store.tables().query(&QueryRows::new(&name))? {
        println!("{}", serde_json::to_string(&row).map_err(|_| Error::invalid("a row is no JSON"))?);
    }
    println!("{} file", store.aux(&name, "project_files").count(None, None)?);

    match store.projects().delete(&DeleteProject::new(&name)) {
        Err(error) if error.code() == ErrorCode::Referenced => println!("referenced"),
        other => println!("{other:?}"),
    }
    store.projects().delete(&DeleteProject::cascade(&name))?;
    store.tables().drop(&TableName::new(&name))?;
    println!("{} files", store.aux(&name, "project_files").count(None, None)?);
    Ok(())
}
