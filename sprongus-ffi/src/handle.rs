//! Handles: checked ids that look like pointers, so that a freed, foreign or invented one is found out before it is used.
//!
//! An id holds a slot, the slot's generation and the noun's tag, and is odd, as no address of an object is. A slot that
//! is freed gets another generation, so an old id never names a new object.

use std::any::Any;
use std::collections::VecDeque;
use std::ffi::c_void;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use sprongus::{Error, ErrorCode, Result};

const TAG_BITS: u32 = 8;
const SLOT_BITS: u32 = 24;
const GENERATION_BITS: u32 = 31;
const LAST_GENERATION: u64 = (1 << GENERATION_BITS) - 1;
const _: () = assert!(usize::BITS == 64, "handles are 64 bits wide");

/// What a handle can stand for.
pub(crate) trait Noun: Any + Send + Sync {
    /// The opaque C type.
    type C;
    /// Tells the nouns apart; never 0.
    const TAG: u8;
    /// The C type's name, for messages.
    const NAME: &'static str;
}

/// Whom a handle belongs to: the caller frees its own, a list those of its items.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Caller,
    List,
}

struct Slot {
    generation: u64,
    held: Option<(u8, Owner, Arc<dyn Any + Send + Sync>)>,
}

struct Table {
    slots: Vec<Slot>,
    /// First freed, first reused: generations last longest.
    free: VecDeque<usize>,
}

static TABLE: RwLock<Table> = RwLock::new(Table { slots: Vec::new(), free: VecDeque::new() });

fn reading() -> RwLockReadGuard<'static, Table> {
    TABLE.read().unwrap_or_else(PoisonError::into_inner)
}

fn writing() -> RwLockWriteGuard<'static, Table> {
    TABLE.write().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Clone, Copy)]
struct Id {
    tag: u8,
    slot: usize,
    generation: u64,
}

impl Id {
    fn bits(self) -> usize {
        let bits = (self.generation << (SLOT_BITS + TAG_BITS)) | ((self.slot as u64) << TAG_BITS) | u64::from(self.tag);
        ((bits << 1) | 1) as usize
    }

    fn parse(bits: usize) -> Option<Self> {
        let odd = bits & 1 == 1;
        let bits = (bits as u64) >> 1;
        let slot = (bits >> TAG_BITS) & ((1 << SLOT_BITS) - 1);
        let id = Self { tag: bits as u8, slot: slot as usize, generation: bits >> (SLOT_BITS + TAG_BITS) };
        odd.then_some(id)
    }
}

impl Table {
    fn insert(&mut self, tag: u8, owner: Owner, object: Arc<dyn Any + Send + Sync>) -> Result<Id> {
        let slot = match self.free.pop_front() {
            Some(slot) => slot,
            None if self.slots.len() >> SLOT_BITS == 0 => {
                self.slots.push(Slot { generation: 0, held: None });
                self.slots.len() - 1
            }
            None => return Err(Error::new(ErrorCode::TooLarge, "16 million handles are open: free those not in use")),
        };
        self.slots[slot].held = Some((tag, owner, object));
        Ok(Id { tag, slot, generation: self.slots[slot].generation })
    }

    fn find(&self, id: Id) -> Option<&(u8, Owner, Arc<dyn Any + Send + Sync>)> {
        let slot = self.slots.get(id.slot).filter(|slot| slot.generation == id.generation)?;
        slot.held.as_ref().filter(|(tag, ..)| *tag == id.tag)
    }

    fn remove(&mut self, id: Id, owner: Owner) -> Option<Arc<dyn Any + Send + Sync>> {
        self.find(id).filter(|(_, of, _)| *of == owner)?;
        let slot = &mut self.slots[id.slot];
        if slot.generation < LAST_GENERATION {
            slot.generation += 1;
            self.free.push_back(id.slot);
        }
        slot.held.take().map(|(.., object)| object)
    }
}

/// A handle for the caller to free.
pub(crate) fn give<T: Noun>(object: T) -> Result<*mut T::C> {
    let id = writing().insert(T::TAG, Owner::Caller, Arc::new(object))?;
    Ok(std::ptr::without_provenance_mut(id.bits()))
}

/// Handles of a list's items, taken back by [`take_back`].
pub(crate) fn lend<T: Noun>(objects: impl IntoIterator<Item = T>) -> Result<Vec<usize>> {
    let mut table = writing();
    let mut ids = Vec::new();
    for object in objects {
        match table.insert(T::TAG, Owner::List, Arc::new(object)) {
            Ok(id) => ids.push(id.bits()),
            Err(error) => {
                drop(table);
                take_back(&ids);
                return Err(error);
            }
        }
    }
    Ok(ids)
}

/// Ends the handles of a list's items.
pub(crate) fn take_back(ids: &[usize]) {
    let mut table = writing();
    let ended: Vec<_> = ids.iter().filter_map(|id| table.remove(Id::parse(*id)?, Owner::List)).collect();
    drop(table);
    drop(ended);
}

/// The object behind a handle; `name` is the argument. `invalid_argument` for NULL, `misuse` for what is no such handle.
pub(crate) fn get<T: Noun>(name: &str, handle: *const T::C) -> Result<Arc<T>> {
    peek::<T>(handle).ok_or_else(|| wrong(name, T::NAME, handle.is_null()))
}

/// The object behind a handle, for getters, which have no error to give.
pub(crate) fn peek<T: Noun>(handle: *const T::C) -> Option<Arc<T>> {
    let (tag, object) = any(handle.cast())?;
    if tag == T::TAG { object.downcast().ok() } else { None }
}

/// The object behind a handle of any noun, and the noun's tag.
pub(crate) fn any(handle: *const c_void) -> Option<(u8, Arc<dyn Any + Send + Sync>)> {
    let id = Id::parse(handle.addr())?;
    reading().find(id).map(|(tag, _, object)| (*tag, object.clone()))
}

/// The answer to a handle that is none.
pub(crate) fn wrong(name: &str, noun: &str, null: bool) -> Error {
    if null {
        return Error::invalid(format!("{name} is NULL; it takes a {noun}"));
    }
    Error::misuse(format!("{name} is not an open {noun}: it was freed, is of another type, or never was one"))
}

/// Ends a handle; what is none, or a list's, is left alone. The object goes when the last call in it has ended.
pub(crate) fn free<T: Noun>(handle: *mut T::C) {
    drop(take::<T>(handle));
}

/// Ends a handle and gives its object, for the caller to drop: that may wait and call the host, so not under the lock.
pub(crate) fn take<T: Noun>(handle: *mut T::C) -> Option<Arc<T>> {
    let id = Id::parse(handle.addr()).filter(|id| id.tag == T::TAG)?;
    let object = writing().remove(id, Owner::Caller)?;
    object.downcast().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    struct Apple(u32);
    struct Pear;

    impl Noun for Apple {
        type C = u64;
        const TAG: u8 = 201;
        const NAME: &'static str = "apple";
    }
    impl Noun for Pear {
        type C = u32;
        const TAG: u8 = 202;
        const NAME: &'static str = "pear";
    }

    #[test]
    fn a_handle_is_good_until_it_is_freed() {
        let handle = give(Apple(7)).unwrap();
        assert_eq!(get::<Apple>("a", handle).unwrap().0, 7);
        free::<Apple>(handle);
        assert_eq!(get::<Apple>("a", handle).err().unwrap().code(), ErrorCode::Misuse);
        free::<Apple>(handle);
    }

    #[test]
    fn a_reused_slot_does_not_answer_to_its_old_handle() {
        let old = give(Apple(1)).unwrap();
        free::<Apple>(old);
        for number in 0..1000 {
            let new = give(Apple(number)).unwrap();
            assert_ne!(old, new);
            assert!(peek::<Apple>(old).is_none());
            free::<Apple>(new);
        }
    }

    #[test]
    fn another_noun_and_garbage_are_misuse() {
        let pear = give(Pear).unwrap();
        let garbage = std::ptr::without_provenance_mut::<u64>;
        for handle in [pear.cast::<u64>(), garbage(1), garbage(0x1000), garbage(usize::MAX)] {
            assert_eq!(get::<Apple>("a", handle).err().unwrap().code(), ErrorCode::Misuse);
            free::<Apple>(handle);
        }
        assert!(peek::<Pear>(pear).is_some());
        let null = get::<Apple>("a", std::ptr::null()).err().unwrap();
        assert_eq!((null.code(), null.message().contains("a is NULL")), (ErrorCode::InvalidArgument, true));
        free::<Pear>(pear);
    }

    #[test]
    fn what_a_list_owns_is_not_the_callers_to_free() {
        let ids = lend([Apple(1), Apple(2)]).unwrap();
        let first = std::ptr::without_provenance_mut::<u64>(ids[0]);
        free::<Apple>(first);
        assert_eq!(get::<Apple>("a", first).unwrap().0, 1);
        take_back(&ids);
        assert!(peek::<Apple>(first).is_none());
    }
}
