//! The latest artifacts of a project in a zip file: the same bytes every time (DESIGN.md §15 "Artifacts").

use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;

use serde_json::json;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::Artifacts;
use super::model::Artifact;
use super::rows;
use crate::db::Executor;
use crate::error::{Error, ErrorCode, Result};
use crate::json::Json;
use crate::new_file::NewFile;
use crate::page::MAX_LIMIT;
use crate::scope::Scope;

const MANIFEST: &str = "manifest.json";

impl Artifacts<'_> {
    pub(super) fn do_export_zip(&self, path: &Path, project: Option<&str>) -> Result<u64> {
        self.session.allow(Scope::RunsRead)?;
        let project = self.session.project(project)?;
        self.session.read_snapshot(|exec| {
            let file = NewFile::beside(exec, path)?;
            let mut zip = ZipWriter::new(BufWriter::new(file.reopen()?));
            let count = contents(exec, project, &mut zip)?;
            manifest(exec, project, &mut zip)?;
            finish(zip).map_err(|error| file.unwritable(error))?;
            file.persist()?;
            Ok(count)
        })
    }
}

/// An entry for each content that is kept here; how many artifacts there are.
fn contents(exec: &mut dyn Executor, project: Option<&str>, zip: &mut ZipWriter<impl Write + Seek>) -> Result<u64> {
    let mut count = 0;
    walk(exec, project, |exec, artifact| {
        count += 1;
        if artifact.reference.is_some() {
            return Ok(());
        }
        // One at a time: a page of them may not fit in memory.
        rows::fill_all(exec, std::slice::from_mut(artifact))?;
        let content = artifact.content.as_deref().unwrap_or_default();
        begin(zip, &entry_name(artifact), u64::try_from(content.len()).unwrap_or(u64::MAX))?;
        zip.write_all(content).map_err(failed)
    })?;
    Ok(count)
}

/// What there is, a line each: nothing in it depends on when or in which order things were put.
fn manifest(exec: &mut dyn Executor, project: Option<&str>, zip: &mut ZipWriter<impl Write + Seek>) -> Result<()> {
    // How long it gets is not known before.
    begin(zip, MANIFEST, u64::MAX)?;
    zip.write_all(b"{\"artifacts\":[").map_err(failed)?;
    let mut separator = "\n";
    walk(exec, project, |_, artifact| {
        let entry = match &artifact.reference {
            None => json!({ "entry": entry_name(artifact) }),
            Some(reference) => json!({ "ref": reference }),
        };
        let line = line(artifact, entry)?;
        write!(zip, "{separator}{line}").map_err(failed)?;
        separator = ",\n";
        Ok(())
    })?;
    zip.write_all(b"\n]}\n").map_err(failed)
}

fn line(artifact: &Artifact, mut line: serde_json::Value) -> Result<Json> {
    line["kind"] = json!(artifact.kind);
    line["key"] = json!(artifact.key);
    line["mediaType"] = json!(artifact.media_type);
    line["sha256"] = json!(artifact.sha256);
    line["size"] = json!(artifact.size);
    line["metadata"] = artifact.metadata.to_value();
    Json::from_value(&line)
}

/// Every latest artifact in order, without its content.
fn walk(
    exec: &mut dyn Executor,
    project: Option<&str>,
    mut each: impl FnMut(&mut dyn Executor, &mut Artifact) -> Result<()>,
) -> Result<()> {
    let mut after = (String::new(), String::new());
    loop {
        let mut page = rows::list(exec, project, None, (&after.0, &after.1), MAX_LIMIT)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = (last.kind.clone(), last.key.clone());
        page.iter_mut().try_for_each(|artifact| each(exec, artifact))?;
    }
}

/// Stored, not compressed, and without a time: the bytes are those of the contents, whatever library wrote them.
fn begin(zip: &mut ZipWriter<impl Write + Seek>, name: &str, size: u64) -> Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o644)
        .large_file(size >= u64::from(u32::MAX));
    zip.start_file(name, options).map_err(|error| failed(io::Error::from(error)))
}

fn finish(zip: ZipWriter<BufWriter<File>>) -> io::Result<()> {
    let mut output = zip.finish().map_err(|error: ZipError| io::Error::from(error))?;
    output.flush()
}

fn failed(error: io::Error) -> Error {
    Error::new(ErrorCode::Storage, format!("the zip file cannot be written: {error}")).with_source(error)
}

/// `kind/key` with everything encoded that could leave the folder, or mean something to a shell or a file system.
fn entry_name(artifact: &Artifact) -> String {
    format!("{}/{}", folder(&artifact.kind), encoded(&artifact.key))
}

/// A folder of the manifest's name could not be unpacked beside it: there its dot is encoded too, in whatever case.
fn folder(kind: &str) -> String {
    match kind.eq_ignore_ascii_case(MANIFEST) {
        true => kind.replace('.', "%2E"),
        false => encoded(kind),
    }
}

/// Percent-encoded but for letters and digits of ASCII, `.` (not in front), `_` and `-`.
fn encoded(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (index, byte) in name.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || b"_-".contains(&byte) || (byte == b'.' && index > 0);
        if plain {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{encoded, folder};

    #[test]
    fn names_neither_collide_nor_escape() {
        for (name, expected) in [
            ("report-1.v2_a", "report-1.v2_a"),
            ("..", "%2E."),
            (".ssh", "%2Essh"),
            ("a/../b", "a%2F..%2Fb"),
            ("C:\\x", "C%3A%5Cx"),
            ("é%2E", "%C3%A9%252E"),
            ("a b", "a%20b"),
        ] {
            assert_eq!(encoded(name), expected);
        }
        assert_eq!(
            (folder("Manifest.JSON"), folder("manifest.txt")),
            ("Manifest%2EJSON".into(), "manifest.txt".into())
        );
    }
}
