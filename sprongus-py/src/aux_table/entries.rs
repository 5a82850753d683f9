//! One entry at a time.

use pyo3::prelude::*;
use sprongus::aux_store::{Nulls, OnReferenced, UpdateOptions};

use super::{AuxTable, pick};
use crate::args::{Text, Texts, Whole, text, texts};
use crate::records::{Entry, RefView};
use crate::{json_in, pages};

#[pymethods]
impl AuxTable {
    /// Creates an entry from a whole document, with the preset's defaults; its id is `id`, else the document's, else a new one.
    ///
    /// Raises `ValidationError` with every violation, `ReservedFieldError`, `ConflictError` (the id or a unique value is
    /// taken), `NotFoundError` where no preset is bound to the table, `TooLargeError`.
    #[pyo3(signature = (payload, *, id = None))]
    fn create<'py>(
        &self,
        py: Python<'py>,
        payload: &Bound<'py, PyAny>,
        id: Option<Text>,
    ) -> PyResult<Bound<'py, Entry>> {
        let (payload, id) = (json_in::value(payload)?, text(id));
        Entry::make(py, self.ground.aux(py, self.place(), |aux| aux.create(payload, id.as_deref()))?)
    }

    /// The entry of that id; `NotFoundError` where there is none.
    fn get<'py>(&self, py: Python<'py>, id: Text) -> PyResult<Bound<'py, Entry>> {
        Entry::make(py, self.ground.aux(py, self.place(), |aux| aux.get(&id.0))?)
    }

    /// Merges a patch into an entry (RFC 7396), or replaces its document; the result is what is validated.
    ///
    /// A result equal to what is there makes no new version. nulls: "remove" takes the field out, "keep" stores the null.
    /// if_version: `ConflictError` unless the entry has it.
    #[pyo3(
        signature = (id, patch, *, replace = false, nulls = None, if_version = None),
        text_signature = "($self, id, patch, *, replace=False, nulls='remove', if_version=None)"
    )]
    fn update<'py>(
        &self,
        py: Python<'py>,
        id: Text,
        patch: &Bound<'py, PyAny>,
        replace: bool,
        nulls: Option<Text>,
        if_version: Option<Whole>,
    ) -> PyResult<Bound<'py, Entry>> {
        let nulls = pick(py, "nulls", nulls, &[("remove", Nulls::Remove), ("keep", Nulls::Keep)])?;
        let options = UpdateOptions { replace, nulls, if_version: if_version.map(|version| version.0) };
        let patch = json_in::value(patch)?;
        Entry::make(py, self.ground.aux(py, self.place(), |aux| aux.update(&id.0, patch, options))?)
    }

    /// Creates an entry, or merges the document into the one of its id (or replaces that with `replace`).
    #[pyo3(signature = (payload, *, id = None, replace = false))]
    fn upsert<'py>(
        &self,
        py: Python<'py>,
        payload: &Bound<'py, PyAny>,
        id: Option<Text>,
        replace: bool,
    ) -> PyResult<Bound<'py, Entry>> {
        let (payload, id) = (json_in::value(payload)?, text(id));
        Entry::make(py, self.ground.aux(py, self.place(), |aux| aux.upsert(payload, id.as_deref(), replace))?)
    }

    /// Deletes an entry; gives the entries that referred to it, each `table`, `id`, `field`.
    ///
    /// on_referenced: "restrict" raises `ReferencedError` that names them; "warn" leaves them dangling; "unlink" takes the id
    /// out of them; "force" does not look.
    #[pyo3(
        signature = (id, *, on_referenced = None),
        text_signature = "($self, id, *, on_referenced='restrict')"
    )]
    fn delete<'py>(&self, py: Python<'py>, id: Text, on_referenced: Option<Text>) -> PyResult<Bound<'py, PyAny>> {
        let choices = [
            ("restrict", OnReferenced::Restrict),
            ("warn", OnReferenced::Warn),
            ("unlink", OnReferenced::Unlink),
            ("force", OnReferenced::Force),
        ];
        let on_referenced = pick(py, "on_referenced", on_referenced, &choices)?;
        let referrers = self.ground.aux(py, self.place(), |aux| aux.delete(&id.0, on_referenced))?;
        pages::dicts(py, &referrers)
    }

    /// The entries that refer to one, by table, id and field: each with `table`, `id`, `field`.
    ///
    /// >>> shots = store.aux("p4", "storyboard")
    /// >>> asset = store.aux("p4", "assets").create({"title": "Coburg"}, id="a")
    /// >>> shot = shots.create({"assetIds": ["a"]}, id="s")
    /// >>> [(found["table"], found["id"]) for found in store.aux("p4", "assets").referrers("a")]
    /// [('storyboard', 's')]
    fn referrers<'py>(&self, py: Python<'py>, id: Text) -> PyResult<Bound<'py, PyAny>> {
        let referrers = self.ground.aux(py, self.place(), |aux| aux.referrers(&id.0))?;
        pages::dicts(py, &referrers)
    }

    /// What ids lead to, in few words: one view for each, in the order asked, `missing` where there is no such entry.
    ///
    /// >>> assets = store.aux("p5", "assets")
    /// >>> asset = assets.create({"title": "Coburg", "url": "https://example.org/1"}, id="a")
    /// >>> [(view.id, view.missing, view.label) for view in assets.resolve_refs(["none", "a"])]
    /// [('none', True, None), ('a', False, 'Coburg')]
    fn resolve_refs<'py>(&self, py: Python<'py>, ids: Texts) -> PyResult<Bound<'py, PyAny>> {
        let ids = texts(ids);
        let views = self.ground.aux(py, self.place(), |aux| aux.resolve_refs(&ids))?;
        pages::list(py, views, RefView::make)
    }
}
