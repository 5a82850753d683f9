//! Presets: what documents and inputs must look like.

use super::{Empty, Operation};
use crate::presets::{
    BindPreset, BindRunPreset, BoundPreset, CreatePreset, ExportPresets, ImportPresets, ListPresets, PresetAddress,
    Presets, ValidatePayload,
};
use crate::scope::Scope;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            "presets.create",
            Scope::Admin,
            "Stores a preset, published unless said otherwise.",
            |on, request: CreatePreset| Presets::new(on).create(&request),
        ),
        Operation::new(
            "presets.publish",
            Scope::Admin,
            "Makes a draft immutable and addressable by its label.",
            |on, request: PresetAddress| Presets::new(on).publish(&request.address),
        ),
        Operation::new(
            "presets.get",
            Scope::PresetsRead,
            "One preset, by label, label@version or id.",
            |on, request: PresetAddress| Presets::new(on).get(&request.address),
        ),
        Operation::new(
            "presets.list",
            Scope::PresetsRead,
            "Presets in the order of label and version.",
            |on, request: ListPresets| Presets::new(on).list(&request),
        ),
        Operation::new(
            "presets.delete",
            Scope::Admin,
            "Removes a preset that is not bound.",
            |on, request: PresetAddress| Presets::new(on).delete(&request.address).map(|()| Empty {}),
        ),
        Operation::new(
            "presets.bind",
            Scope::Admin,
            "Binds a table to a preset, after checking the stored entries.",
            |on, request: BindPreset| Presets::new(on).bind(&request),
        ),
        Operation::new(
            "presets.bind_run",
            Scope::Admin,
            "Binds a kind of runs to a preset for its input.",
            |on, request: BindRunPreset| Presets::new(on).bind_run(&request).map(|()| Empty {}),
        ),
        Operation::new(
            "presets.bound",
            Scope::PresetsRead,
            "The preset that a table is bound to.",
            |on, request: BoundPreset| Presets::new(on).bound(&request),
        ),
        Operation::new(
            "presets.validate",
            Scope::PresetsRead,
            "Every violation of a document; none where it is valid.",
            |on, request: ValidatePayload| Presets::new(on).validate(&request),
        ),
        Operation::new(
            "presets.export",
            Scope::PresetsRead,
            "Presets as they travel between stores.",
            |on, request: ExportPresets| Presets::new(on).export(&request),
        ),
        Operation::new(
            "presets.import",
            Scope::Admin,
            "Stores exported presets, all or none.",
            |on, request: ImportPresets| Presets::new(on).import(&request),
        ),
    ]
}
