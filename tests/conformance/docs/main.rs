//! The pages say what is so: their programs are those that are run, their tests and codes exist, their links lead somewhere.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};

use sprongus::ErrorCode;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files under a folder of the project with one of those endings.
fn files(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" {
            files(&path, endings, found);
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
}

fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    files(&root().join("docs"), &[".md"], &mut pages);
    pages.push(root().join("README.md"));
    pages
}

#[test]
fn the_programs_of_the_readme_are_those_that_are_run() {
    let readme = read("README.md");
    for (language, path) in [
        ("python", "examples/python/quickstart.py"),
        ("rust", "examples/rust/quickstart.rs"),
        ("c", "examples/c/quickstart.c"),
    ] {
        let block = readme.split(&format!("```{language}\n")).nth(1).and_then(|rest| rest.split("\n```").next());
        let block = block.unwrap_or_else(|| panic!("README.md has no {language}"));
        let program = read(path);
        let (_title, body) = program.split_once('\n').unwrap();
        assert_eq!(block.trim(), body.trim(), "README.md and {path} differ");
    }
}

#[test]
fn every_code_is_explained_with_its_number_and_whether_to_retry() {
    let page = read("docs/errors.md");
    for code in ErrorCode::ALL {
        let retry = if code.retryable() { "yes" } else { "" };
        let line = format!("| {} | `{code}` | {retry}", code.number());
        assert!(page.contains(&line), "docs/errors.md lacks {line:?}");
    }
    let lines = page.lines().filter(|line| line.starts_with("| ") && line.contains('`')).count();
    assert_eq!(lines, ErrorCode::ALL.len(), "docs/errors.md explains codes that there are not");
}

#[test]
fn every_guarantee_names_tests_that_exist() {
    let mut sources = Vec::new();
    files(&root(), &[".rs", ".py", ".c", ".cpp", ".sh"], &mut sources);
    let sources: Vec<String> = sources.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let page = read("docs/guarantees.md");
    let mut missing = Vec::new();
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---"));
    for cell in rows.flat_map(|row| row.split(" | ").skip(1)) {
        for name in cell.split('`').skip(1).step_by(2) {
            let written = [format!("fn {name}("), format!("def {name}("), format!("\"{name}\""), format!("{name}.sh")];
            if !sources.iter().any(|source| written.iter().any(|form| source.contains(form)))
                && !root().join(name).exists()
            {
                missing.push(name.to_owned());
            }
        }
    }
    assert!(missing.is_empty(), "docs/guarantees.md names tests that there are not: {missing:?}");
}

#[test]
fn links_between_pages_lead_somewhere() {
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap();
            if !target.is_empty() && !target.contains("://") {
                assert!(page.parent().unwrap().join(target).exists(), "{} links to {link}", page.display());
            }
        }
    }
}

#[test]
fn every_decision_is_listed() {
    let list = read("docs/decisions/README.md");
    let mut decisions = Vec::new();
    files(&root().join("docs/decisions"), &[".md"], &mut decisions);
    for name in decisions.iter().map(|path| path.file_name().unwrap().to_string_lossy()) {
        assert!(name == "README.md" || list.contains(&format!("({name})")), "docs/decisions/README.md lacks {name}");
    }
}
