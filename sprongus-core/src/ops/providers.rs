//! Operations on profiles of providers.

use super::{Empty, Operation};
use crate::aux_store::{ProfileName, Providers, PutProfile};
use crate::scope::Scope;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new("providers.put", Scope::Admin, "Keeps a profile of a provider.", |on, request: PutProfile| {
            Providers::new(on).put(&request)
        }),
        Operation::new("providers.get", Scope::AuxRead, "One profile.", |on, request: ProfileName| {
            Providers::new(on).get(&request)
        }),
        Operation::new("providers.list", Scope::AuxRead, "All profiles, by name.", |on, _: Empty| {
            Providers::new(on).list()
        }),
        Operation::new("providers.delete", Scope::Admin, "Removes a profile.", |on, request: ProfileName| {
            Providers::new(on).delete(&request)
        }),
    ]
}
