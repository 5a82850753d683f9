"""leave.py STORE KIND [decide]: enqueues a run of that kind; or gives the leave that one of them asked for, and follows it."""

import sys

import sprongus

url, kind = sys.argv[1:3]
with sprongus.open(url, actor="Python") as store:
    if sys.argv[3:] != ["decide"]:
        print(store.runs.enqueue(kind, {"from": "Python"}).id)
        sys.exit()
    (run,) = store.runs.list(kind=kind)
    (asked,) = store.approvals.list(run_id=run.id, decision="pending")
    assert (run.state, asked.scope, asked.intent_summary) == ("awaiting_approval", "repo.push", "push it"), (run, asked)
    print(store.runs.explain(run.id))
    store.approvals.approve(run.id, scope="repo.push", by="ada", note="looks good")
    types = [event.type for event in store.events.read(types=["run.*"], limit=1000) if event.run_id == run.id]
    assert types == ["run.enqueued", "run.started", "run.approval_requested", "run.approved"], types
