//! Real input that lives beside the repository.

use std::path::{Path, PathBuf};
use std::sync::Once;

/// The folder of test data: `SPRONGUS_TEST_DATA`, else `../shared/data` beside the repository's root.
///
/// `None` where neither is there; the first such call says so on standard error.
///
/// # Panics
/// When `SPRONGUS_TEST_DATA` is set and is not a folder: what was asked for is not silently left out.
pub fn data_dir() -> Option<PathBuf> {
    if let Some(given) = std::env::var_os("SPRONGUS_TEST_DATA") {
        let given = PathBuf::from(given);
        assert!(given.is_dir(), "SPRONGUS_TEST_DATA is {}, which is not a folder", given.display());
        return Some(given);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let beside = root.parent()?.join("shared/data");
    if beside.is_dir() {
        return Some(beside);
    }
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        eprintln!("no test data: {} is not there; set SPRONGUS_TEST_DATA to its folder", beside.display())
    });
    None
}
