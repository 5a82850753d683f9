//! Times and durations.

use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Time};
use pyo3::exceptions::PyOverflowError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyDate, PyDateAccess, PyDateTime, PyDelta, PyDeltaAccess, PyInt, PyString, PyTime, PyTimeAccess, PyTzInfo,
};
use sprongus::{Error, Timestamp, Violation};

use crate::args::Text;
use crate::error::raised;

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// What a datetime of Python's tells.
pub(crate) enum Moment {
    At(Timestamp),
    /// A time on a wall, nobody knows where.
    Naive,
    /// Its instant is outside the years that RFC 3339 writes; or it is pandas' "not a time", which is a datetime too.
    Beyond,
}

impl Moment {
    /// The instant, or why there is none.
    pub(crate) fn known(self) -> Result<Timestamp, &'static str> {
        match self {
            Self::At(at) => Ok(at),
            Self::Naive => Err("a time needs its offset from UTC; give an aware datetime, as datetime.now(UTC)"),
            Self::Beyond => Err("a time lies between the years 1 and 9999 in UTC; this one does not"),
        }
    }
}

/// What a datetime tells; an error where its tzinfo raises.
pub(crate) fn moment(at: &Bound<'_, PyDateTime>) -> PyResult<Moment> {
    if !at.getattr(intern!(at.py(), "year"))?.is_instance_of::<PyInt>() {
        return Ok(Moment::Beyond);
    }
    let offset = at.call_method0(intern!(at.py(), "utcoffset"))?;
    if offset.is_none() {
        return Ok(Moment::Naive);
    }
    let offset = offset.cast::<PyDelta>()?;
    let seconds = i64::from(offset.get_days()) * 86_400 + i64::from(offset.get_seconds());
    let offset = SignedDuration::new(seconds, offset.get_microseconds() * 1_000);
    let civil = date_time(at)?.checked_sub(offset);
    Ok(civil.ok().filter(|civil| civil.year() >= 1).map_or(Moment::Beyond, |civil| {
        Moment::At(Timestamp::from_micros(i64::try_from(civil.duration_since(EPOCH).as_micros()).unwrap_or(i64::MAX)))
    }))
}

/// An instant as an aware datetime in UTC.
pub(crate) fn datetime<'py>(py: Python<'py>, at: Timestamp) -> PyResult<Bound<'py, PyDateTime>> {
    let civil = EPOCH.saturating_add(SignedDuration::from_micros(at.as_micros()));
    let utc = PyTzInfo::utc(py)?;
    new_datetime(py, civil, Some(&utc))
}

/// A time of day on a date, without a zone; its text where Python's datetime does not reach that year.
pub(crate) fn naive<'py>(py: Python<'py>, civil: DateTime) -> PyResult<Bound<'py, PyAny>> {
    if civil.year() < 1 {
        return Ok(PyString::new(py, &civil.to_string()).into_any());
    }
    new_datetime(py, civil, None).map(Bound::into_any)
}

fn new_datetime<'py>(
    py: Python<'py>,
    civil: DateTime,
    zone: Option<&Bound<'py, PyTzInfo>>,
) -> PyResult<Bound<'py, PyDateTime>> {
    let (month, day) = (small(civil.month()), small(civil.day()));
    let (hour, minute, second) = (small(civil.hour()), small(civil.minute()), small(civil.second()));
    let micros = micros(civil.subsec_nanosecond());
    PyDateTime::new(py, civil.year().into(), month, day, hour, minute, second, micros, zone)
}

/// A date; its text where Python's date does not reach that year.
pub(crate) fn py_date<'py>(py: Python<'py>, date: Date) -> PyResult<Bound<'py, PyAny>> {
    if date.year() < 1 {
        return Ok(PyString::new(py, &date.to_string()).into_any());
    }
    PyDate::new(py, date.year().into(), small(date.month()), small(date.day())).map(Bound::into_any)
}

/// A time of day.
pub(crate) fn py_time<'py>(py: Python<'py>, time: Time) -> PyResult<Bound<'py, PyAny>> {
    let micros = micros(time.subsec_nanosecond());
    PyTime::new(py, small(time.hour()), small(time.minute()), small(time.second()), micros, None).map(Bound::into_any)
}

/// The date and time of a datetime, its zone left out.
pub(crate) fn date_time(at: &Bound<'_, PyDateTime>) -> PyResult<DateTime> {
    Ok(DateTime::from_parts(civil_date(at)?, civil_time(at)?))
}

/// A date of Python's.
pub(crate) fn civil_date(date: &impl PyDateAccess) -> PyResult<Date> {
    let year = i16::try_from(date.get_year()).unwrap_or(i16::MAX);
    Date::new(year, date.get_month() as i8, date.get_day() as i8).map_err(out_of_range)
}

/// A time of day of Python's.
pub(crate) fn civil_time(time: &impl PyTimeAccess) -> PyResult<Time> {
    let (hour, minute, second) = (time.get_hour() as i8, time.get_minute() as i8, time.get_second() as i8);
    let nanos = i32::try_from(time.get_microsecond()).unwrap_or_default() * 1_000;
    Time::new(hour, minute, second, nanos).map_err(out_of_range)
}

fn out_of_range(error: jiff::Error) -> PyErr {
    pyo3::exceptions::PyOverflowError::new_err(error.to_string())
}

fn small(part: i8) -> u8 {
    part.unsigned_abs()
}

fn micros(nanos: i32) -> u32 {
    nanos.unsigned_abs() / 1_000
}

/// An instant as an argument: an aware datetime, or RFC 3339 text.
#[derive(Clone, Copy)]
pub(crate) struct At(pub(crate) Timestamp);

impl<'a, 'py> FromPyObject<'a, 'py> for At {
    type Error = PyErr;

    fn extract(ob: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let refused = |error: Error| raised(ob.py(), &error);
        if ob.is_instance_of::<PyString>() {
            return ob.extract::<Text>()?.0.parse().map(Self).map_err(refused);
        }
        let told = moment(&*ob.cast::<PyDateTime>()?)?.known();
        told.map(Self).map_err(|why| refused(Error::validation(vec![Violation::new("", "format", why)])))
    }
}

/// A duration as an argument: seconds or a timedelta, neither negative nor endless.
#[derive(Clone, Copy)]
pub(crate) struct Seconds(pub(crate) Duration);

impl<'a, 'py> FromPyObject<'a, 'py> for Seconds {
    type Error = PyErr;

    fn extract(ob: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let refused =
            || raised(ob.py(), &Error::invalid("a duration is a number of seconds from 0 up, or such a timedelta"));
        let seconds: PyResult<f64> = if ob.is_instance_of::<PyDelta>() {
            ob.call_method0(intern!(ob.py(), "total_seconds"))?.extract()
        } else {
            ob.extract()
        };
        let huge = |error: PyErr| if error.is_instance_of::<PyOverflowError>(ob.py()) { refused() } else { error };
        Duration::try_from_secs_f64(seconds.map_err(huge)?).map(Self).map_err(|_| refused())
    }
}
