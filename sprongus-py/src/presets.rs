//! `Presets`.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyMapping, PyString, PyType};
use sprongus::presets::{
    BindPreset, BindRunPreset, BoundPreset, CreatePreset, ExportPresets, ImportPresets, ListPresets, PresetImportMode,
    PresetItem, PresetKind, ValidatePayload,
};
use sprongus::{Error, Json};

use crate::args::{Text, Whole, text};
use crate::error::raised;
use crate::ground::Ground;
use crate::records::Preset;
use crate::{json_in, json_out, pages};

/// Presets: definitions by which documents are checked. Reading takes the scope `presets:read`, writing `admin`.
#[pyclass(module = "sprongus", frozen)]
pub(crate) struct Presets {
    ground: Ground,
}

impl Presets {
    pub(crate) fn new(ground: Ground) -> Self {
        Self { ground }
    }
}

#[pymethods]
impl Presets {
    /// Stores a preset, published unless said otherwise.
    ///
    /// `definition`: a field list `{"fields": [{"name", "type", …}]}`, a JSON Schema, a dataclass or a Pydantic model.
    /// Raises `ValidationError` with every fault of it, `ConflictError` where the version exists.
    ///
    /// >>> fields = [{"name": "title", "type": "string", "required": True}]
    /// >>> store.presets.create("paintings", "custom", {"fields": fields}).version
    /// 1
    /// >>> store.presets.bind("paintings", "paintings")["bound"]
    /// True
    /// >>> [error["path"] for error in store.presets.validate("paintings", {})]
    /// ['/title']
    #[pyo3(signature = (label, kind, definition, *, version = None, publish = true))]
    fn create<'py>(
        &self,
        py: Python<'py>,
        label: Text,
        kind: Text,
        definition: &Bound<'py, PyAny>,
        version: Option<Whole>,
        publish: bool,
    ) -> PyResult<Bound<'py, Preset>> {
        let definition = definition_of(definition)?;
        let kind = parse_kind(py, &kind)?;
        let request = CreatePreset {
            version: version.map(|version| version.0),
            publish,
            ..CreatePreset::new(label.0, kind, definition)
        };
        Preset::make(py, self.ground.presets(py, |presets| presets.create(&request))?)
    }

    /// Makes a draft immutable and addressable by its label; nothing where it is so already.
    fn publish<'py>(&self, py: Python<'py>, address: Text) -> PyResult<Bound<'py, Preset>> {
        Preset::make(py, self.ground.presets(py, |presets| presets.publish(&address.0))?)
    }

    /// The preset at `label` (its newest published version), `label@2` or an id; `NotFoundError` where there is none.
    fn get<'py>(&self, py: Python<'py>, address: Text) -> PyResult<Bound<'py, Preset>> {
        Preset::make(py, self.ground.presets(py, |presets| presets.get(&address.0))?)
    }

    /// A page of presets by label and version, built-ins and drafts included.
    #[pyo3(
        signature = (*, kind = None, label_prefix = None, limit = Whole(50), cursor = None),
        text_signature = "($self, *, kind=None, label_prefix=None, limit=50, cursor=None)"
    )]
    fn list<'py>(
        &self,
        py: Python<'py>,
        kind: Option<Text>,
        label_prefix: Option<Text>,
        limit: Whole,
        cursor: Option<Text>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let kind = kind.map(|kind| parse_kind(py, &kind)).transpose()?;
        let request =
            ListPresets { kind, label_prefix: text(label_prefix), limit: Some(limit.0), cursor: text(cursor) };
        pages::page(py, self.ground.presets(py, |presets| presets.list(&request))?, Preset::make)
    }

    /// Deletes a preset that is bound nowhere; `ConflictError` where it is.
    fn delete(&self, py: Python<'_>, address: Text) -> PyResult<()> {
        self.ground.presets(py, |presets| presets.delete(&address.0))
    }

    /// Binds a table to a preset, once every entry the table holds passes.
    ///
    /// The report: `checked`, `failing`, the first 100 `errors`, `bound`. With `dry_run` nothing is written.
    /// Raises `ConflictError` with the report as its details where entries fail and `force` is not set.
    #[pyo3(signature = (table, address, *, project = None, dry_run = false, force = false))]
    fn bind<'py>(
        &self,
        py: Python<'py>,
        table: Text,
        address: Text,
        project: Option<Text>,
        dry_run: bool,
        force: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request = BindPreset { table: table.0, address: address.0, project: text(project), dry_run, force };
        let report = self.ground.presets(py, |presets| presets.bind(&request))?;
        json_out::serialized(py, &report)
    }

    /// Binds a kind of runs to a preset of kind `run_input`: the input of runs of that kind is checked from then on.
    #[pyo3(signature = (kind, address, *, project = None))]
    fn bind_run(&self, py: Python<'_>, kind: Text, address: Text, project: Option<Text>) -> PyResult<()> {
        let request = BindRunPreset { kind: kind.0, address: address.0, project: text(project) };
        self.ground.presets(py, |presets| presets.bind_run(&request))
    }

    /// The preset that holds for a table: the project's own, else the one for all projects, else the built-in.
    #[pyo3(signature = (table, *, project = None))]
    fn bound<'py>(&self, py: Python<'py>, table: Text, project: Option<Text>) -> PyResult<Bound<'py, Preset>> {
        let request = BoundPreset { table: table.0, project: text(project) };
        Preset::make(py, self.ground.presets(py, |presets| presets.bound(&request))?)
    }

    /// Every violation of a document as it is, each with `path`, `keyword`, `message`; none where it is valid.
    fn validate<'py>(
        &self,
        py: Python<'py>,
        address: Text,
        payload: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request = ValidatePayload { address: address.0, payload: json_in::document(payload)? };
        let violations = self.ground.presets(py, |presets| presets.validate(&request))?;
        json_out::serialized(py, &violations)
    }

    /// Presets as they travel to another store, by label and version; the built-ins stay.
    #[pyo3(signature = (*, kind = None, label_prefix = None))]
    fn export<'py>(
        &self,
        py: Python<'py>,
        kind: Option<Text>,
        label_prefix: Option<Text>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let kind = kind.map(|kind| parse_kind(py, &kind)).transpose()?;
        let request = ExportPresets { kind, label_prefix: text(label_prefix) };
        let items = self.ground.presets(py, |presets| presets.export(&request))?;
        json_out::serialized(py, &items)
    }

    /// Takes in what `export` gave, all or none; counts of `created`, `updated`, `unchanged`, `deleted`.
    ///
    /// Raises `ConflictError` where a published preset says something else.
    #[pyo3(
        signature = (items, *, mode = None),
        text_signature = "($self, items, *, mode='merge')"
    )]
    fn import_<'py>(
        &self,
        py: Python<'py>,
        items: &Bound<'py, PyAny>,
        mode: Option<Text>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mode = match mode.as_ref().map_or("merge", |mode| mode.0.as_str()) {
            "merge" => PresetImportMode::Merge,
            "replace" => PresetImportMode::Replace,
            _ => return Err(raised(py, &Error::invalid("mode is \"merge\" or \"replace\""))),
        };
        let items = items.try_iter()?.map(|item| preset_item(&item?)).collect::<PyResult<Vec<PresetItem>>>()?;
        let request = ImportPresets { items, mode };
        let counts = self.ground.presets(py, |presets| presets.import(&request))?;
        json_out::serialized(py, &counts)
    }
}

fn parse_kind(py: Python<'_>, kind: &Text) -> PyResult<PresetKind> {
    PresetKind::parse(&kind.0).map_err(|error| raised(py, &error))
}

fn preset_item(item: &Bound<'_, PyAny>) -> PyResult<PresetItem> {
    let json = json_in::document(item)?;
    sprongus::json::decode(json.as_str().as_bytes()).map_err(|error| raised(item.py(), &error))
}

/// A definition as JSON: as it is given, or made of a class.
fn definition_of(given: &Bound<'_, PyAny>) -> PyResult<Json> {
    static OF_CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = given.py();
    if given.is_instance_of::<PyType>() {
        let made = OF_CLASS.import(py, "sprongus._classes", "definition")?.call1((given,))?;
        return json_in::document(&made);
    }
    if given.is_instance_of::<PyString>()
        || !(given.is_instance_of::<PyMapping>() || given.is_instance_of::<pyo3::types::PyBool>())
    {
        let message = "a definition is a field list, a JSON Schema, a dataclass or a Pydantic model";
        return Err(raised(py, &Error::invalid(message)));
    }
    json_in::document(given)
}
