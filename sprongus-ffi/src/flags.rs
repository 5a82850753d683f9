//! The flags of calls, joined by `|`; each call says which it takes, and refuses the others.

use sprongus::{Error, Result};

/// Leave the new preset a draft, which may still be changed by sprongus_presets_import.
pub const SPRONGUS_DRAFT: u32 = 1;
/// Only check and report.
pub const SPRONGUS_DRY_RUN: u32 = 2;
/// Do it all the same.
pub const SPRONGUS_FORCE: u32 = 4;
/// Remove what is not named, or replace what is there instead of merging into it.
pub const SPRONGUS_REPLACE: u32 = 8;
/// Write the good rows and list the bad ones, instead of writing nothing where one is bad.
pub const SPRONGUS_REPORT: u32 = 16;
/// A null in a patch is stored, instead of removing the property.
pub const SPRONGUS_KEEP_NULLS: u32 = 32;
/// Put a `'` before CSV text that a spreadsheet would run as a formula; import does not undo it.
pub const SPRONGUS_ESCAPE_FORMULAS: u32 = 64;
/// Leave it to a worker.
pub const SPRONGUS_ENQUEUE: u32 = 128;
/// Give the latest version instead of a new one where the content is the same.
pub const SPRONGUS_IF_CHANGED: u32 = 256;
/// Delete what belongs to it as well.
pub const SPRONGUS_CASCADE: u32 = 512;

/// Flags of which the call knows those.
pub(crate) fn check(given: u32, known: u32) -> Result<u32> {
    if given & !known == 0 {
        return Ok(given);
    }
    Err(Error::invalid(format!("flags sets {:#x}, which this call does not take", given & !known)))
}
