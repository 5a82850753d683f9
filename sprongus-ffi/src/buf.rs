//! `sprongus_buf`: text or bytes that the caller owns.

use std::ffi::{CString, c_char};

use crate::door;
use crate::handle::{self, Noun};

/// Text or bytes handed to the caller. Freed by sprongus_buf_free; its data lives until then.
pub struct sprongus_buf {
    _opaque: [u8; 0],
}

pub(crate) struct Buf(CString);

impl Noun for Buf {
    type C = sprongus_buf;
    const TAG: u8 = 2;
    const NAME: &'static str = "sprongus_buf";
}

impl Buf {
    pub(crate) fn text(text: &str) -> Self {
        Self(crate::error::c_text(text))
    }
}

/// The bytes; a NUL that does not count stands behind them, so text is a C string. Borrowed; NULL for no buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_buf_data(buf: *const sprongus_buf) -> *const c_char {
    door::peek(std::ptr::null(), || Some(handle::peek::<Buf>(buf)?.0.as_ptr()))
}

/// How many bytes there are; 0 for no buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_buf_length(buf: *const sprongus_buf) -> usize {
    door::peek(0, || Some(handle::peek::<Buf>(buf)?.0.as_bytes().len()))
}

/// Frees a buffer. NULL and what is no buffer are passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_buf_free(buf: *mut sprongus_buf) {
    door::quiet(|| handle::free::<Buf>(buf));
}
