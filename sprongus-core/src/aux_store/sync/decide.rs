//! What is to be done about one entry: a three-way comparison with what both sides had last (DESIGN.md §7 "Sync").

use super::model::{SideChange, SyncOutcome};
use crate::aux_store::providers::Capabilities;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::runs::Policy;

/// SHA-256 of a canonical document.
pub(super) type Hash = [u8; 32];

/// What both sides had, as it is stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Base {
    /// The provider's document and the payload; none where there never was such a moment.
    pub(super) both: Option<(Hash, Hash)>,
    /// A push that may or may not have arrived.
    pub(super) pushing: Option<Pushing>,
}

/// What a push was to leave at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pushing {
    Document(Hash),
    Nothing,
}

/// The entry of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Local {
    pub(super) hash: Hash,
    pub(super) version: i64,
    pub(super) at: Timestamp,
}

/// The provider's document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remote {
    /// Nobody asked: it has what it had.
    Unasked,
    Absent,
    /// It cannot be read, which was told already.
    Bad,
    Document {
        hash: Hash,
        at: Option<Timestamp>,
    },
}

/// The document that a push is to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Push {
    Create(Hash),
    Update(Hash),
    Delete,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// The table takes the document.
    Take,
    /// The table loses the entry.
    Drop,
    /// Both sides have the same: that is remembered.
    Agree,
    /// Both sides have nothing any more.
    Forget,
    Push(Push),
    /// Nothing, and it is told.
    Leave(SyncOutcome),
}

/// What is done, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) provider: Option<SideChange>,
    pub(super) local: Option<SideChange>,
    pub(super) action: Action,
}

/// How decisions are made in this sync.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub(super) policy: Policy,
    pub(super) can: Capabilities,
    /// A document that cannot be read does not tell which it is: nothing can be said to be gone.
    pub(super) unnamed: bool,
}

/// Decides; `None` where there is nothing to do. `same` says whether the provider's document, as this table would hold it, is
/// what the entry is.
pub(super) fn decide(
    rule: Rule,
    base: Base,
    local: Option<Local>,
    remote: Remote,
    same: impl FnOnce() -> Result<bool>,
) -> Result<Option<Decision>> {
    if remote == Remote::Bad {
        return Ok(None);
    }
    let both = last_had(base, remote);
    let (theirs, ours) = (change_of_remote(both, remote), change_of_local(both, local));
    let decision = |action| Ok(Some(Decision { provider: theirs, local: ours, action }));
    match (theirs, ours) {
        // Whether the push arrived cannot be told.
        (None, None) if base.pushing.is_some() && remote == Remote::Unasked => {
            decision(push(rule, both.is_some(), local, SyncOutcome::NotPushed))
        }
        (None, None) if base.pushing.is_some() => decision(if both.is_some() { Action::Agree } else { Action::Forget }),
        (None, None) => Ok(None),
        (Some(SideChange::Deleted), Some(SideChange::Deleted)) => decision(Action::Forget),
        (Some(SideChange::Deleted), _) if rule.unnamed => decision(Action::Leave(SyncOutcome::Kept)),
        (Some(SideChange::Deleted), None) => decision(Action::Drop),
        (Some(_), None) => decision(Action::Take),
        (None, Some(_)) => decision(push(rule, both.is_some(), local, SyncOutcome::NotPushed)),
        (Some(_), Some(_)) if local.is_some() && remote != Remote::Absent && same()? => decision(Action::Agree),
        (Some(_), Some(_)) => decision(resolve(rule, local, remote)),
    }
}

/// What both sides had last: a push that arrived counts, though nobody came to say so.
fn last_had(base: Base, remote: Remote) -> Option<(Hash, Hash)> {
    match (base.pushing, remote) {
        (Some(Pushing::Document(pushed)), Remote::Document { hash, .. }) if pushed == hash => Some((hash, hash)),
        (Some(Pushing::Nothing), Remote::Absent) => None,
        _ => base.both,
    }
}

fn change_of_remote(both: Option<(Hash, Hash)>, remote: Remote) -> Option<SideChange> {
    match (both, remote) {
        (None, Remote::Document { .. }) => Some(SideChange::Created),
        (Some((had, _)), Remote::Document { hash, .. }) if had != hash => Some(SideChange::Updated),
        (Some(_), Remote::Absent) => Some(SideChange::Deleted),
        _ => None,
    }
}

fn change_of_local(both: Option<(Hash, Hash)>, local: Option<Local>) -> Option<SideChange> {
    match (both, local) {
        (None, Some(_)) => Some(SideChange::Created),
        (Some((_, had)), Some(local)) if had != local.hash => Some(SideChange::Updated),
        (Some(_), None) => Some(SideChange::Deleted),
        _ => None,
    }
}

/// Gives the provider what the table has; `there`: it has a document of that id.
fn push(rule: Rule, there: bool, local: Option<Local>, otherwise: SyncOutcome) -> Action {
    match (rule.can.write, local) {
        (false, _) => Action::Leave(otherwise),
        (true, Some(local)) if there => Action::Push(Push::Update(local.hash)),
        (true, Some(local)) => Action::Push(Push::Create(local.hash)),
        (true, None) => Action::Push(Push::Delete),
    }
}

/// A conflict: both changed, and not to the same.
fn resolve(rule: Rule, local: Option<Local>, remote: Remote) -> Action {
    let there = remote != Remote::Absent;
    let ours = || push(rule, there, local, SyncOutcome::Conflict);
    let theirs = if there { Action::Take } else { Action::Drop };
    match rule.policy {
        Policy::Provider => theirs,
        Policy::Local => ours(),
        Policy::Manual => Action::Leave(SyncOutcome::Conflict),
        Policy::Newest => match (local, remote) {
            (Some(local), Remote::Document { at: Some(at), .. }) if at > local.at => theirs,
            (Some(local), Remote::Document { at: Some(at), .. }) if at < local.at => ours(),
            _ => Action::Leave(SyncOutcome::Conflict),
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const A: Hash = [1; 32];
    const B: Hash = [2; 32];
    const C: Hash = [3; 32];
    const BOTH: Base = Base { both: Some((A, A)), pushing: None };
    const NEW: Base = Base { both: None, pushing: None };

    fn rule(policy: Policy) -> Rule {
        Rule { policy, can: Capabilities { read: true, write: true }, unnamed: false }
    }

    fn local(hash: Hash) -> Option<Local> {
        Some(Local { hash, version: 1, at: Timestamp::from_micros(1_000) })
    }

    fn remote(hash: Hash) -> Remote {
        Remote::Document { hash, at: None }
    }

    fn written(hash: Hash, micros: i64) -> Remote {
        Remote::Document { hash, at: Some(Timestamp::from_micros(micros)) }
    }

    fn action(rule: Rule, base: Base, local: Option<Local>, remote: Remote) -> Option<Action> {
        let same = || Ok(local.is_some_and(|local| remote == Remote::Document { hash: local.hash, at: None }));
        decide(rule, base, local, remote, same).unwrap().map(|decision| decision.action)
    }

    #[test]
    fn one_side_changed() {
        let act = |base, local, remote| action(rule(Policy::Manual), base, local, remote);
        assert_eq!(act(BOTH, local(A), remote(A)), None);
        assert_eq!(act(BOTH, local(A), remote(B)), Some(Action::Take));
        assert_eq!(act(BOTH, local(A), Remote::Absent), Some(Action::Drop));
        assert_eq!(act(NEW, None, remote(B)), Some(Action::Take));
        assert_eq!(act(BOTH, local(B), remote(A)), Some(Action::Push(Push::Update(B))));
        assert_eq!(act(BOTH, None, remote(A)), Some(Action::Push(Push::Delete)));
        assert_eq!(act(NEW, local(B), Remote::Absent), Some(Action::Push(Push::Create(B))));
        assert_eq!(act(BOTH, None, Remote::Absent), Some(Action::Forget));
        assert_eq!(act(NEW, local(A), remote(A)), Some(Action::Agree));
        assert_eq!(act(BOTH, local(B), remote(B)), Some(Action::Agree));
        assert_eq!(act(BOTH, local(B), Remote::Bad), None);
        assert_eq!(act(BOTH, local(B), Remote::Unasked), Some(Action::Push(Push::Update(B))));
        assert_eq!(act(NEW, local(B), Remote::Unasked), Some(Action::Push(Push::Create(B))));
        assert_eq!(act(BOTH, None, Remote::Unasked), Some(Action::Push(Push::Delete)));
    }

    #[test]
    fn both_sides_changed() {
        let conflict = Some(Action::Leave(SyncOutcome::Conflict));
        let cases = [
            (BOTH, local(B), remote(C)),
            (NEW, local(B), remote(C)),
            (BOTH, local(B), Remote::Absent),
            (BOTH, None, remote(B)),
        ];
        let take = [Action::Take, Action::Take, Action::Drop, Action::Take];
        let give = [Push::Update(B), Push::Update(B), Push::Create(B), Push::Delete];
        for (index, (base, local, remote)) in cases.into_iter().enumerate() {
            let act = |policy| action(rule(policy), base, local, remote);
            assert_eq!(act(Policy::Manual), conflict);
            assert_eq!(act(Policy::Newest), conflict);
            assert_eq!(act(Policy::Provider), Some(take[index]));
            assert_eq!(act(Policy::Local), Some(Action::Push(give[index])));
            let read_only = Rule { can: Capabilities { read: true, write: false }, ..rule(Policy::Local) };
            assert_eq!(action(read_only, base, local, remote), conflict);
        }
        let newest = |remote| action(rule(Policy::Newest), BOTH, local(B), remote);
        assert_eq!(newest(written(C, 1_001)), Some(Action::Take));
        assert_eq!(newest(written(C, 999)), Some(Action::Push(Push::Update(B))));
        assert_eq!(newest(written(C, 1_000)), conflict);
    }

    #[test]
    fn a_push_that_nobody_confirmed_is_seen_by_what_it_left() {
        let act = |base, local, remote| action(rule(Policy::Manual), base, local, remote);
        let pushing = |pushing| Base { pushing: Some(pushing), ..BOTH };
        let updating = pushing(Pushing::Document(B));
        assert_eq!(act(updating, local(B), remote(B)), Some(Action::Agree));
        assert_eq!(act(updating, local(B), remote(A)), Some(Action::Push(Push::Update(B))));
        assert_eq!(act(updating, local(C), remote(B)), Some(Action::Push(Push::Update(C))), "no conflict");
        assert_eq!(act(updating, local(A), remote(A)), Some(Action::Agree), "not wanted any more");
        assert_eq!(act(updating, local(B), remote(C)), Some(Action::Leave(SyncOutcome::Conflict)));
        let deleting = pushing(Pushing::Nothing);
        assert_eq!(act(deleting, None, Remote::Absent), Some(Action::Forget));
        assert_eq!(act(deleting, None, remote(A)), Some(Action::Push(Push::Delete)));
        assert_eq!(act(deleting, local(C), Remote::Absent), Some(Action::Push(Push::Create(C))));
        let creating = Base { both: None, pushing: Some(Pushing::Document(B)) };
        assert_eq!(act(creating, local(B), remote(B)), Some(Action::Agree));
        assert_eq!(act(creating, None, Remote::Absent), Some(Action::Forget));
        assert_eq!(act(creating, None, remote(B)), Some(Action::Push(Push::Delete)));
        assert_eq!(act(updating, local(A), Remote::Unasked), Some(Action::Push(Push::Update(A))));
    }

    #[test]
    fn an_unread_document_may_be_any() {
        let unnamed = Rule { unnamed: true, ..rule(Policy::Provider) };
        let kept = Some(Action::Leave(SyncOutcome::Kept));
        assert_eq!(action(unnamed, BOTH, local(A), Remote::Absent), kept);
        assert_eq!(action(unnamed, BOTH, local(B), Remote::Absent), kept);
        assert_eq!(action(unnamed, BOTH, None, Remote::Absent), Some(Action::Forget));
        assert_eq!(action(unnamed, BOTH, local(A), remote(B)), Some(Action::Take));
    }
}
