"""The first ten lines, as the README has them."""

import sprongus

with sprongus.open("app.db") as store:
    store.runs.enqueue("mail.send", {"to": "orders@example.org"}, idempotency_key="order-17")
    worker = store.worker()

    @worker.handler("mail.send")
    def send(ctx):
        return f"sent to {ctx.input['to']}"

    worker.run(until_idle=True)
    run = store.runs.list()[0]
    print(run.state, store.runs.output(run.id))
