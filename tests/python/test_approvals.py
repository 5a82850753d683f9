"""Approvals: the gate, scoped ones in the middle of a run, decisions."""

import pytest
import sprongus


def test_the_gate_before_the_queue(face):
    run = face.runs.enqueue("k", project="p", needs_approval=True)
    assert (run.state, run.state_code) == ("awaiting_approval", 1)
    assert face.runs.claim_next("w") == []
    pending = face.approvals.get(run.id)
    assert (pending.scope, pending.decision, pending.project_id, pending.run_id) == ("run", None, "p", run.id)
    given = face.approvals.approve(run.id, by="ada", note="fine", metadata={"ticket": 7})
    assert (given.decision, given.decided_by, given.note, given.metadata) == ("approved", "ada", "fine", {"ticket": 7})
    assert given.decided_at >= given.created_at
    assert face.approvals.approve(run.id, by="bob") == given
    with pytest.raises(sprongus.InvalidStateError):
        face.approvals.deny(run.id, by="bob")
    [claimed] = face.runs.claim_next("w")
    assert (claimed.id, face.runs.get(run.id).state) == (run.id, "running")
    [_, decided, *_] = face.runs.events(run.id)
    assert (decided.type, decided.actor, decided.older_name) == ("run.approved", "ada", "RunApproved")


def test_a_refusal_ends_the_run(face):
    run = face.runs.enqueue("k", needs_approval=True)
    refused = face.approvals.deny(run.id, by="ada", note="no")
    assert (refused.decision, face.runs.get(run.id).state) == ("denied", "denied")
    assert face.approvals.deny(run.id, by="bob") == refused
    with pytest.raises(sprongus.InvalidStateError):
        face.approvals.approve(run.id, by="bob")


def test_a_run_asks_in_the_middle(face):
    face.runs.enqueue("k")
    [run] = face.runs.claim_next("w")
    asked = face.approvals.request(run, "repo.push", intent_summary="push 3 commits", metadata={"a": 1, "b": 1})
    assert (asked.decision, asked.intent_summary, asked.step) == (None, "push 3 commits", None)
    waiting = face.runs.get(run.id)
    assert (waiting.state, waiting.attempt, waiting.lease_until) == ("awaiting_approval", 0, None)
    with pytest.raises(sprongus.LeaseLostError):
        face.runs.succeed(run)
    given = face.approvals.approve(run.id, scope="repo.push", by="ada", metadata={"b": 2})
    assert given.metadata == {"a": 1, "b": 2}
    [again] = face.runs.claim_next("w")
    assert (again.id, again.attempt, again.lease > run.lease) == (run.id, 1, True)
    lease = sprongus.Lease(again.id, again.lease)
    assert face.approvals.request(lease, "repo.push", intent_summary="push 3 commits").decision == "approved"
    by_step = face.approvals.request(again, "repo.push", intent_summary="again", step="second")
    assert (by_step.decision, by_step.step) == (None, "second")
    face.approvals.deny(run.id, scope="repo.push", step="second", by="ada")
    assert face.runs.get(run.id).state == "denied"


def test_lists(face):
    runs = [face.runs.enqueue("k", n, project="p", needs_approval=True) for n in range(3)]
    face.approvals.approve(runs[0].id, by="ada")
    face.approvals.deny(runs[1].id, by="ada")
    for decision, of in [("approved", 0), ("denied", 1), ("pending", 2)]:
        page = face.approvals.list(decision=decision)
        assert ([one.run_id for one in page], page.next_cursor) == ([runs[of].id], None)
    page = face.approvals.list(project="p", scope="run", limit=2)
    rest = face.approvals.list(project="p", scope="run", limit=2, cursor=page.next_cursor)
    assert [one.run_id for one in [*page, *rest]] == [run.id for run in reversed(runs)]
    assert [one.run_id for one in face.approvals.list(run_id=runs[0].id)] == [runs[0].id]
    assert face.approvals.list(project="q") == []
    assert "<table>" in page._repr_html_()


def test_nobody_asked(face):
    run = face.runs.enqueue("k")
    for call in (
        lambda: face.approvals.approve(run.id, by="ada"),
        lambda: face.approvals.deny(run.id, scope="deploy", by="ada"),
        lambda: face.approvals.get(run.id, step="x"),
        lambda: face.approvals.approve("none", by="ada"),
    ):
        with pytest.raises(sprongus.NotFoundError):
            call()
    with pytest.raises(sprongus.InvalidStateError):
        face.approvals.request(run, "deploy", intent_summary="x")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"scope": ""}, sprongus.InvalidArgumentError),
        ({"scope": "run"}, sprongus.InvalidArgumentError),
        ({"scope": "x" * 513}, sprongus.InvalidArgumentError),
        ({"scope": None}, TypeError),
        ({"step": "a\0"}, sprongus.InvalidArgumentError),
        ({"metadata": [1]}, sprongus.InvalidArgumentError),
        ({"metadata": {"at": object()}}, sprongus.ValidationError),
        ({"metadata": {"long": "x" * (2 << 20)}}, sprongus.TooLargeError),
        ({"intent_summary": 7}, TypeError),
        ({"run": "id"}, TypeError),
    ],
)
def test_bad_requests(store, wrong, error):
    store.runs.enqueue("k")
    [run] = store.runs.claim_next("w")
    with pytest.raises(error):
        store.approvals.request(**{"run": run, "scope": "deploy", "intent_summary": "x", **wrong})
    assert store.runs.get(run.id) == run
    assert store.approvals.list() == []


def test_bad_decisions(store):
    run = store.runs.enqueue("k", needs_approval=True)
    for wrong, error in [
        ({"by": ""}, sprongus.InvalidArgumentError),
        ({"by": "a\nb"}, sprongus.InvalidArgumentError),
        ({"by": None}, TypeError),
        ({"by": "a", "metadata": "text"}, sprongus.InvalidArgumentError),
        ({"by": "a", "note": 1}, TypeError),
        ({}, TypeError),
    ]:
        with pytest.raises(error):
            store.approvals.approve(run.id, **wrong)
    for wrong in ({"decision": "maybe"}, {"limit": 1001}, {"cursor": "x"}):
        with pytest.raises(sprongus.InvalidArgumentError):
            store.approvals.list(**wrong)
    assert store.approvals.get(run.id).decision is None
