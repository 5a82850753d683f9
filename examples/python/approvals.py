"""A handler that asks for leave in the middle of its work: approvals.py [URL [SCHEMA]]"""

import sys

import sprongus

URL = sys.argv[1] if len(sys.argv) > 1 else "approvals.db"
SCHEMA = sys.argv[2] if len(sys.argv) > 2 else None


def build(version: int) -> str:
    print("building")
    return f"app:{version}"


with sprongus.open(URL, schema=SCHEMA) as store:
    worker = store.worker()

    @worker.handler("release")
    def release(context: sprongus.Context) -> str:
        # After the approval the handler begins anew; what a step has given is not worked out twice.
        image = context.step("build", lambda: build(context.input["version"]))
        leave = context.approval("deploy.production", f"deploys {image} to all hosts", metadata={"image": image})
        return f"{image} deployed, with leave of {leave.decided_by}"

    run = store.runs.enqueue("release", {"version": 7})
    worker.run(until_idle=True, patience=0)
    print(store.runs.get(run.id).state)

    # Anybody with the store may decide: another process, a web page, a command line.
    for pending in store.approvals.list(decision="pending"):
        print("asked:", pending.intent_summary)
        store.approvals.approve(pending.run_id, scope=pending.scope, step=pending.step, by="ada", note="go ahead")

    worker.run(until_idle=True, patience=0)
    print(store.runs.output(run.id))
