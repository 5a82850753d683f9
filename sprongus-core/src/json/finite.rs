//! Finds the NaN or infinity that serde_json would silently write as null.

use std::fmt;

use serde::ser::{self, Serialize, Serializer};

use super::pointer::{Segment, pointer};

/// The pointer of the first float that is not finite.
pub(super) fn non_finite<T: Serialize + ?Sized>(value: &T) -> Option<String> {
    match value.serialize(Finite).err()? {
        Stop::NotFinite(path) => Some(path),
        // serde_json meets the same error and tells it better.
        Stop::Other => None,
    }
}

#[derive(Debug)]
enum Stop {
    NotFinite(String),
    Other,
}

impl Stop {
    fn under(self, segment: Segment<'_>) -> Self {
        match self {
            Self::NotFinite(path) => Self::NotFinite(pointer([segment]) + &path),
            Self::Other => Self::Other,
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not finite")
    }
}

impl std::error::Error for Stop {}

impl ser::Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Other
    }
}

type Done = Result<(), Stop>;

fn finite(is: bool) -> Done {
    if is { Ok(()) } else { Err(Stop::NotFinite(String::new())) }
}

struct Finite;

/// An array or object on the way: what its next part is called, and what the whole is called within an enum's object.
#[derive(Default)]
struct Parts {
    index: usize,
    key: String,
    variant: Option<&'static str>,
}

impl Parts {
    fn of_variant(variant: &'static str) -> Self {
        Self { variant: Some(variant), ..Self::default() }
    }

    fn part<T: Serialize + ?Sized>(&self, segment: Segment<'_>, value: &T) -> Done {
        value.serialize(Finite).map_err(|stop| {
            let stop = stop.under(segment);
            self.variant.map(Segment::Key).into_iter().fold(stop, Stop::under)
        })
    }

    fn next<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.index += 1;
        self.part(Segment::Index(self.index - 1), value)
    }
}

macro_rules! passed_over {
    ($($method:ident: $type:ty),* $(,)?) => { $(fn $method(self, _: $type) -> Done { Ok(()) })* };
}

impl Serializer for Finite {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = Parts;
    type SerializeTuple = Parts;
    type SerializeTupleStruct = Parts;
    type SerializeTupleVariant = Parts;
    type SerializeMap = Parts;
    type SerializeStruct = Parts;
    type SerializeStructVariant = Parts;

    passed_over! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_i128: i128, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_u128: u128, serialize_char: char, serialize_str: &str, serialize_bytes: &[u8],
        serialize_unit_struct: &'static str,
    }

    fn serialize_f32(self, value: f32) -> Done {
        finite(value.is_finite())
    }
    fn serialize_f64(self, value: f64) -> Done {
        finite(value.is_finite())
    }
    fn serialize_none(self) -> Done {
        Ok(())
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Done {
        Ok(())
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Done {
        Ok(())
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T>(self, _: &'static str, _: u32, variant: &'static str, value: &T) -> Done
    where
        T: Serialize + ?Sized,
    {
        value.serialize(self).map_err(|stop| stop.under(Segment::Key(variant)))
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Parts, Stop> {
        Ok(Parts::default())
    }
    fn serialize_tuple(self, _: usize) -> Result<Parts, Stop> {
        Ok(Parts::default())
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts, Stop> {
        Ok(Parts::default())
    }
    fn serialize_tuple_variant(self, _: &'static str, _: u32, name: &'static str, _: usize) -> Result<Parts, Stop> {
        Ok(Parts::of_variant(name))
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Parts, Stop> {
        Ok(Parts::default())
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts, Stop> {
        Ok(Parts::default())
    }
    fn serialize_struct_variant(self, _: &'static str, _: u32, name: &'static str, _: usize) -> Result<Parts, Stop> {
        Ok(Parts::of_variant(name))
    }
}

macro_rules! listed {
    ($($part:ident::$method:ident),*) => { $(impl ser::$part for Parts {
        type Ok = ();
        type Error = Stop;
        fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Done { self.next(value) }
        fn end(self) -> Done { Ok(()) }
    })* };
}

listed!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

macro_rules! named {
    ($($part:ident),*) => { $(impl ser::$part for Parts {
        type Ok = ();
        type Error = Stop;
        fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Done {
            self.part(Segment::Key(name), value)
        }
        fn end(self) -> Done { Ok(()) }
    })* };
}

named!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Parts {
    type Ok = ();
    type Error = Stop;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        let text = serde_json::to_string(key).map_err(|_| Stop::Other)?;
        // A key that is a number is written as text; one that is text has its escapes undone.
        self.key = serde_json::from_str(&text).unwrap_or(text);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.part(Segment::Key(&self.key), value)
    }

    fn end(self) -> Done {
        Ok(())
    }
}
