"""Works the runs of one kind until nothing is left to do: worker.py STORE KIND"""

import sys

import sprongus

url, kind = sys.argv[1:3]
with sprongus.open(url) as store:
    worker = store.worker(concurrency=2)

    @worker.handler(kind)
    def work(ctx: sprongus.Context) -> dict[str, object]:
        print(f"run {ctx.run.id}, attempt {ctx.run.attempt}: {ctx.input}", flush=True)
        return {"by": "Python", "input": ctx.input}

    worker.run(until_idle=True, patience=0.5)
