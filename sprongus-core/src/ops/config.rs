//! Operations on settings.

use super::Operation;
use crate::config::{Config, GetConfig, ListConfig, SetConfig, UnsetConfig};
use crate::scope::Scope;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            "config.get",
            Scope::AuxRead,
            "One setting, and whether it is set.",
            |on, request: GetConfig| Config::new(on).get(&request),
        ),
        Operation::new("config.set", Scope::AuxWrite, "Sets a setting.", |on, request: SetConfig| {
            Config::new(on).set(&request)
        }),
        Operation::new("config.unset", Scope::AuxWrite, "Removes a setting.", |on, request: UnsetConfig| {
            Config::new(on).unset(&request)
        }),
        Operation::new("config.list", Scope::AuxRead, "Settings by key.", |on, request: ListConfig| {
            Config::new(on).list(&request)
        }),
    ]
}
