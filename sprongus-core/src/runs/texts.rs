//! The texts of statements that are put together, kept by what they depend on: making one takes longer than to look it up.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;
use std::rc::Rc;
use std::thread::LocalKey;

/// Of one statement, by its forms. Each thread has its own, so that none waits for another, nor a child of a `fork()`.
pub(super) struct Texts<F>(RefCell<HashMap<F, Rc<str>>>);

/// More forms than anybody uses; of whoever does, no more are kept.
const MOST: usize = 64;

impl<F> Default for Texts<F> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<F: Clone + Eq + Hash> Texts<F> {
    /// The text of that form.
    pub(super) fn of(texts: &'static LocalKey<Self>, form: &F, make: impl Fn(&F) -> String) -> Rc<str> {
        // A thread that is ending may have none any more.
        texts
            .try_with(|Self(texts)| Self::kept(&mut texts.borrow_mut(), form, &make))
            .unwrap_or_else(|_| make(form).into())
    }

    fn kept(texts: &mut HashMap<F, Rc<str>>, form: &F, make: impl Fn(&F) -> String) -> Rc<str> {
        if let Some(text) = texts.get(form) {
            return text.clone();
        }
        if texts.len() == MOST {
            texts.clear();
        }
        let text: Rc<str> = make(form).into();
        texts.insert(form.clone(), text.clone());
        text
    }
}
