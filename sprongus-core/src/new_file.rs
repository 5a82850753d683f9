//! Files that are written: beside the place they take, which they take when they are complete.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::db::{Dialect, Executor};
use crate::error::{Error, ErrorCode, Result};

/// A file on its way; dropped before it is persisted, it leaves nothing.
pub(crate) struct NewFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl NewFile {
    /// A file that becomes `path`; the executor tells where the store is.
    ///
    /// Errors: `invalid_argument` where the path leads to a folder, a pipe, a device or the store itself; `not_found`,
    /// `permission_denied`, `storage` where nothing can be written there.
    pub(crate) fn beside(exec: &mut dyn Executor, path: &Path) -> Result<Self> {
        if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(Error::invalid(format!("{} is not a file", path.display())));
        }
        refuse_store(exec, path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = temporary(folder).map_err(|error| unwritable(path, error))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Another handle on it, to write by.
    pub(crate) fn reopen(&self) -> Result<File> {
        self.file.as_file().try_clone().map_err(|error| self.unwritable(error))
    }

    /// Puts it in its place, whatever file was there.
    pub(crate) fn persist(self) -> Result<()> {
        self.file.persist(&self.path).map(drop).map_err(|error| unwritable(&self.path, error.error))
    }

    /// The error of a write into it.
    pub(crate) fn unwritable(&self, error: io::Error) -> Error {
        unwritable(&self.path, error)
    }
}

/// An export into the store's own file would take its place, and what is written later would be lost without a word.
pub(crate) fn refuse_store(exec: &mut dyn Executor, path: &Path) -> Result<()> {
    if exec.dialect() == Dialect::Postgres {
        return Ok(());
    }
    let rows = exec.query("SELECT file FROM pragma_database_list WHERE name = 'main'", &[])?;
    let store = rows.first().map(|row| row.opt_text(0)).transpose()?.flatten().unwrap_or_default();
    let Ok(path) = path.canonicalize() else { return Ok(()) };
    let own = ["", "-wal", "-shm"].iter().filter_map(|end| Path::new(&format!("{store}{end}")).canonicalize().ok());
    match own.into_iter().any(|own| own == path) {
        true => Err(Error::invalid(format!("{} is the store itself; name another file", path.display()))),
        false => Ok(()),
    }
}

/// Beside the file it becomes, so that the rename is atomic; with the rights a new file has, not those of a secret.
pub(crate) fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".sprongus-export-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// What is wrong with a file that is to be read.
pub(crate) fn unreadable(path: &Path, error: io::Error) -> Error {
    of_file(path, "read", error)
}

/// What is wrong with a file that is to be written.
pub(crate) fn unwritable(path: &Path, error: io::Error) -> Error {
    of_file(path, "written", error)
}

fn of_file(path: &Path, what: &str, error: io::Error) -> Error {
    let code = match error.kind() {
        io::ErrorKind::NotFound => ErrorCode::NotFound,
        io::ErrorKind::PermissionDenied => ErrorCode::PermissionDenied,
        io::ErrorKind::StorageFull => ErrorCode::StorageFull,
        _ => ErrorCode::Storage,
    };
    Error::new(code, format!("{} cannot be {what}: {error}", path.display())).with_source(error)
}
