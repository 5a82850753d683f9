//! Finds PostgreSQL's binaries and the user they may run as.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder that holds `initdb`, `postgres` and `psql`: `SPRONGUS_PG_BIN`, else `PATH`, else the newest where Debian puts them.
pub(crate) fn folder() -> PathBuf {
    if let Some(given) = std::env::var_os("SPRONGUS_PG_BIN") {
        let given = PathBuf::from(given);
        assert!(complete(&given), "SPRONGUS_PG_BIN is {}, which lacks initdb, postgres or psql", given.display());
        return given;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).find(|folder| complete(folder));
    on_path.or_else(newest).expect(
        "no PostgreSQL server binaries found: `apt-get install postgresql`, or set SPRONGUS_PG_BIN to their folder",
    )
}

fn complete(folder: &Path) -> bool {
    ["initdb", "postgres", "psql"].iter().all(|name| folder.join(name).is_file())
}

fn newest() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path());
    let version = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    versions.filter(|path| complete(&path.join("bin"))).max_by_key(version).map(|path| path.join("bin"))
}

/// Whom the server runs as: PostgreSQL refuses root.
#[derive(Debug, Clone, Copy)]
pub(crate) struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// `postgres`, else `nobody`, when we are root; `None` otherwise: the server runs as we do.
    pub(crate) fn for_server() -> Option<User> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let passwd = fs::read_to_string("/etc/passwd").expect("/etc/passwd");
        let found = ["postgres", "nobody"].iter().find_map(|name| Self::find(&passwd, name));
        Some(found.expect("PostgreSQL refuses to run as root, and there is neither a user `postgres` nor `nobody`: `apt-get install postgresql`"))
    }

    fn find(passwd: &str, name: &str) -> Option<User> {
        let fields = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields[0] == name)?;
        Some(User { uid: fields.get(2)?.parse().ok()?, gid: fields.get(3)?.parse().ok()? })
    }

    /// Gives a folder to that user.
    pub(crate) fn own(self, folder: &Path) {
        std::os::unix::fs::chown(folder, Some(self.uid), Some(self.gid)).expect("give the server its folder");
    }

    /// Makes a command run as that user.
    pub(crate) fn run(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }
}
