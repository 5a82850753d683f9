//! A caller's arguments, checked: text, bytes, JSON, structs, out-pointers.

use std::ffi::{CStr, c_char};
use std::time::Duration;

use sprongus::{Error, Json, Result};

use crate::handle::{self, Noun};

fn null(name: &str) -> Error {
    Error::invalid(format!("{name} is NULL"))
}

/// NUL-terminated UTF-8.
///
/// # Safety
/// `text` is NULL or NUL-terminated, and stays as it is during the call.
pub(crate) unsafe fn text<'a>(name: &str, text: *const c_char) -> Result<&'a str> {
    // SAFETY: the same promise.
    unsafe { text_opt(name, text) }?.ok_or_else(|| null(name))
}

/// As [`text`], where NULL is "not given".
///
/// # Safety
/// As [`text`].
pub(crate) unsafe fn text_opt<'a>(name: &str, text: *const c_char) -> Result<Option<&'a str>> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: not NULL, and the caller promises the terminator.
    utf8(name, unsafe { CStr::from_ptr(text) }.to_bytes()).map(Some)
}

/// As [`text_opt`], kept beyond the call.
///
/// # Safety
/// As [`text`].
pub(crate) unsafe fn owned_opt(name: &str, text: *const c_char) -> Result<Option<String>> {
    // SAFETY: the same promise.
    Ok(unsafe { text_opt(name, text) }?.map(str::to_owned))
}

/// `count` texts; NULL of none is "not given".
///
/// # Safety
/// `texts` is NULL or points to `count` texts, each as [`text`] has it.
pub(crate) unsafe fn texts_opt(name: &str, texts: *const *const c_char, count: usize) -> Result<Option<Vec<String>>> {
    if texts.is_null() && count == 0 {
        return Ok(None);
    }
    // SAFETY: the same promise.
    let texts = unsafe { slice(name, texts, count) }?;
    let one = |(index, item): (usize, &*const c_char)| {
        // SAFETY: the same promise.
        unsafe { text(&format!("{name}[{index}]"), *item) }.map(str::to_owned)
    };
    texts.iter().enumerate().map(one).collect::<Result<_>>().map(Some)
}

/// Text given as bytes.
pub(crate) fn utf8<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str> {
    std::str::from_utf8(bytes)
        .map_err(|error| Error::invalid(format!("{name} is not UTF-8: byte {} is wrong", error.valid_up_to())))
}

/// `length` items; NULL is allowed for none.
///
/// # Safety
/// `items` is NULL or points to `length` readable items, which stay as they are during the call.
pub(crate) unsafe fn slice<'a, T>(name: &str, items: *const T, length: usize) -> Result<&'a [T]> {
    if length == 0 {
        return Ok(&[]);
    }
    if items.is_null() {
        return Err(Error::invalid(format!("{name} is NULL and its length is {length}")));
    }
    if !items.is_aligned() {
        return Err(Error::invalid(format!("{name} is not aligned")));
    }
    if length > isize::MAX as usize / size_of::<T>().max(1) {
        return Err(Error::invalid(format!("the length of {name} is {length}, more than memory holds")));
    }
    // SAFETY: not NULL, aligned, of a length that can be, and the caller promises that it is readable.
    Ok(unsafe { std::slice::from_raw_parts(items, length) })
}

/// Bytes.
///
/// # Safety
/// As [`slice`].
pub(crate) unsafe fn bytes<'a>(name: &str, bytes: *const c_char, length: usize) -> Result<&'a [u8]> {
    // SAFETY: the same promise; a char is a byte.
    unsafe { slice(name, bytes.cast(), length) }
}

/// Bytes that have to be given: none is no default.
///
/// # Safety
/// As [`slice`].
pub(crate) unsafe fn required<'a>(name: &str, bytes: *const c_char, length: usize) -> Result<&'a [u8]> {
    if bytes.is_null() && length == 0 {
        return Err(null(name));
    }
    // SAFETY: the same promise.
    unsafe { self::bytes(name, bytes, length) }
}

/// A JSON document; NULL of length 0 is "not given".
///
/// # Safety
/// As [`slice`].
pub(crate) unsafe fn json_opt(name: &str, json: *const c_char, length: usize) -> Result<Option<Json>> {
    // SAFETY: the same promise.
    let bytes = unsafe { bytes(name, json, length) }?;
    if json.is_null() { Ok(None) } else { Json::parse(bytes).map(Some) }
}

/// A JSON document.
///
/// # Safety
/// As [`slice`].
pub(crate) unsafe fn json(name: &str, json: *const c_char, length: usize) -> Result<Json> {
    // SAFETY: the same promise.
    Json::parse(unsafe { required(name, json, length) }?)
}

/// Marks a `repr(C)` struct that begins with `size_t struct_size` and for which all zero is a value: "all defaults".
///
/// # Safety
/// The struct is `repr(C)`, its first field is a `usize`, and it holds integers, floats and raw pointers alone.
pub(crate) unsafe trait Plain: Copy {}

/// The most a struct of a later version may hold; one that says more was not initialised.
const LARGEST_STRUCT: usize = 4 << 10;

/// A struct that says its own size: of an older version it lacks a tail, which is zero; a newer one's must be.
///
/// # Safety
/// `given` is NULL or readable for the `struct_size` bytes that it begins with.
pub(crate) unsafe fn plain<T: Plain>(name: &str, given: *const T) -> Result<T> {
    // SAFETY: `Plain` says that zero is a value.
    let mut ours: T = unsafe { std::mem::zeroed() };
    if given.is_null() {
        return Ok(ours);
    }
    if !given.is_aligned() {
        return Err(Error::invalid(format!("{name} is not aligned")));
    }
    // SAFETY: not NULL, aligned, and its first field is a `usize`.
    let size = unsafe { given.cast::<usize>().read() };
    if !(size_of::<usize>()..=LARGEST_STRUCT).contains(&size) || !size.is_multiple_of(align_of::<T>()) {
        return Err(Error::invalid(format!(
            "{name}.struct_size is {size}; set it to sizeof the struct (SPRONGUS_INIT does)"
        )));
    }
    // SAFETY: the caller promises `size` readable bytes; they are copied as bytes, up to the size of ours.
    let bytes = unsafe { std::slice::from_raw_parts(given.cast::<u8>(), size) };
    if bytes.iter().skip(size_of::<T>()).any(|byte| *byte != 0) {
        return Err(Error::invalid(format!("{name} sets what this version of the library does not know")));
    }
    // SAFETY: both are valid for that many bytes, and any bytes are a value of a `Plain`.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), (&raw mut ours).cast(), size.min(size_of::<T>())) };
    Ok(ours)
}

/// Milliseconds: 0 is "not given", [`SPRONGUS_NONE`](crate::options::SPRONGUS_NONE) zero time.
pub(crate) fn millis(name: &str, millis: i64) -> Result<Option<Duration>> {
    match millis {
        0 => Ok(None),
        crate::options::SPRONGUS_NONE => Ok(Some(Duration::ZERO)),
        _ => u64::try_from(millis).map(|millis| Some(Duration::from_millis(millis))).map_err(|_| {
            Error::invalid(format!("{name} is {millis}; it takes 0 for the default, -1 for none, or more"))
        }),
    }
}

/// A number of items at most: 0 is the default, SPRONGUS_NONE none.
pub(crate) fn limit(given: i64, default: i64) -> i64 {
    match given {
        0 => default,
        crate::options::SPRONGUS_NONE => 0,
        _ => given,
    }
}

/// Where a result goes; NULL or zero until it is set.
pub(crate) struct Out<T>(*mut T);

impl<T> Out<T> {
    /// A place that the caller need not give.
    ///
    /// # Safety
    /// `place` is NULL or may be written.
    pub(crate) unsafe fn optional(place: *mut T, empty: T) -> Self {
        let out = Self(place);
        out.write(empty);
        out
    }

    fn write(&self, value: T) {
        if !self.0.is_null() {
            // SAFETY: not NULL; `optional`'s caller promised that it may be written.
            unsafe { self.0.write(value) };
        }
    }

    /// Sets the result.
    pub(crate) fn set(self, value: T) {
        self.write(value);
    }
}

/// A place for a number, emptied first.
///
/// # Safety
/// `place` is NULL or may be written.
pub(crate) unsafe fn number<T: Default>(name: &str, place: *mut T) -> Result<Out<T>> {
    if place.is_null() {
        return Err(null(name));
    }
    // SAFETY: the same promise.
    Ok(unsafe { Out::optional(place, T::default()) })
}

/// A place for a handle, emptied first.
///
/// # Safety
/// `place` is NULL or may be written.
pub(crate) unsafe fn place<C>(name: &str, place: *mut *mut C) -> Result<Out<*mut C>> {
    if place.is_null() {
        return Err(null(name));
    }
    // SAFETY: the same promise.
    Ok(unsafe { place_opt(place) })
}

/// A place for a handle that the caller need not take.
///
/// # Safety
/// `place` is NULL or may be written.
pub(crate) unsafe fn place_opt<C>(place: *mut *mut C) -> Out<*mut C> {
    // SAFETY: the same promise.
    unsafe { Out::optional(place, std::ptr::null_mut()) }
}

impl<C> Out<*mut C> {
    /// Hands the object over; where the caller gave no place it is dropped.
    pub(crate) fn give<T: Noun<C = C>>(self, object: T) -> Result<()> {
        if !self.0.is_null() {
            self.set(handle::give(object)?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Two {
        struct_size: usize,
        first: u64,
        second: u64,
    }
    // SAFETY: `repr(C)`, begins with its size, integers alone.
    unsafe impl Plain for Two {}

    fn read(words: &[u64]) -> Result<Two> {
        // SAFETY: the tests give as many bytes as they say.
        unsafe { plain("two", words.as_ptr().cast()) }
    }

    #[test]
    fn structs_of_other_versions() {
        assert_eq!(read(&[24, 5, 6]).unwrap().second, 6);
        assert_eq!(read(&[16, 5]).unwrap().first, 5);
        assert_eq!(read(&[16, 5]).unwrap().second, 0);
        assert_eq!(read(&[32, 5, 6, 0]).unwrap().second, 6);
        assert!(read(&[32, 5, 6, 1]).is_err());
        assert!(read(&[0]).is_err() && read(&[7]).is_err() && read(&[u64::MAX]).is_err());
        assert!(read(&[20, 5, 6]).is_err(), "no struct ends within a pointer");
        // SAFETY: NULL.
        assert_eq!(unsafe { plain::<Two>("two", std::ptr::null()) }.unwrap().struct_size, 0);
    }

    #[test]
    fn lengths_and_text() {
        // SAFETY: what is refused is not read.
        unsafe {
            assert!(slice::<u64>("x", std::ptr::null(), 1).is_err());
            assert!(slice::<u64>("x", std::ptr::dangling::<u64>(), usize::MAX).is_err());
            assert!(slice::<u64>("x", 9 as *const u64, 1).is_err());
            assert!(text("x", c"a\xff".as_ptr()).is_err());
            assert_eq!(text("x", c"é".as_ptr()).unwrap(), "é");
        }
        assert!(millis("x", -2).is_err());
        assert_eq!(millis("x", -1).unwrap(), Some(Duration::ZERO));
    }
}
