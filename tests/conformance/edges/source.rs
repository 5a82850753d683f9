//! Reads which modules a source file names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A file of the core, without comments and without its tests (which may look at anything).
pub(crate) struct Source {
    /// Relative to `src/`.
    pub(crate) path: String,
    /// The top-level module it belongs to.
    pub(crate) module: String,
    code: String,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let first = path.split('/').next().unwrap_or(path);
        let module = first.trim_end_matches(".rs").to_owned();
        let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
        let code = lines.collect::<Vec<_>>().join("\n");
        let code = code.split("#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned();
        Self { path: path.to_owned(), module, code }
    }

    /// Every file below that folder, binaries and test modules aside.
    pub(crate) fn all(src: &Path) -> Vec<Source> {
        let mut found = Vec::new();
        let mut folders = vec![src.to_owned()];
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                let relative = path.strip_prefix(src).unwrap().to_str().unwrap().to_owned();
                let is_test = relative.ends_with("tests.rs") || relative.ends_with("/tests");
                if path.is_dir() && relative != "bin" && !is_test {
                    folders.push(path);
                } else if relative.ends_with(".rs") && !is_test {
                    found.push(Source::new(&relative, &fs::read_to_string(&path).unwrap()));
                }
            }
        }
        found
    }

    /// The modules named by `crate::…`; what the crate's root re-exports counts for the module it comes from.
    pub(crate) fn imports(&self, root: &[(String, String)]) -> Vec<String> {
        let mut modules = BTreeSet::new();
        for rest in self.code.split("crate::").skip(1) {
            for name in heads(rest) {
                let origin = root.iter().find(|(item, _)| *item == name).map(|(_, module)| module.clone());
                modules.insert(origin.unwrap_or(name));
            }
        }
        modules.into_iter().collect()
    }

    /// What `pub use module::…` in the crate's root exports: (item, module).
    pub(crate) fn reexports(&self) -> Vec<(String, String)> {
        let mut items = Vec::new();
        for statement in self.code.split("use ").skip(1) {
            let statement = statement.split(';').next().unwrap_or_default();
            if let Some((module, rest)) = statement.split_once("::") {
                items.extend(words(rest).map(|item| (item.to_owned(), module.trim().to_owned())));
            }
        }
        items
    }

    /// Whether the code names that crate at the start of a path.
    pub(crate) fn names(&self, krate: &str) -> bool {
        let path = format!("{krate}::");
        self.code.match_indices(&path).any(|(at, _)| {
            let before = self.code[..at].chars().next_back().unwrap_or(' ');
            !(before.is_alphanumeric() || before == '_' || before == ':')
        })
    }
}

/// The first names of a path or of a group of paths: `a::b` gives a, `{a, b::{c, d}}` gives a and b.
fn heads(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else {
        return words(path).next().map(str::to_owned).into_iter().collect();
    };
    let (mut depth, mut names, mut fresh) = (0, Vec::new(), true);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            _ if fresh && !letter.is_whitespace() => {
                names.extend(words(&group[at..]).next().map(str::to_owned));
                fresh = false;
            }
            _ => {}
        }
    }
    names
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')).filter(|word| !word.is_empty())
}
