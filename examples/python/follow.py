"""Follows what becomes of runs, whichever process works them: follow.py [URL [SCHEMA]]"""

import sys

import sprongus

URL = sys.argv[1] if len(sys.argv) > 1 else "follow.db"
SCHEMA = sys.argv[2] if len(sys.argv) > 2 else None

with sprongus.open(URL, schema=SCHEMA) as store:
    worker = store.worker()

    @worker.handler("greet")
    def greet(context: sprongus.Context) -> str:
        return f"hello, {context.input}"

    feed = store.events.follow(types=["run.*"])
    store.runs.enqueue("greet", "world")
    worker.start()
    for event in feed:
        print(event.seq, event.type, event.payload.get("to"))
        if event.type == "run.succeeded":
            print(store.runs.output(event.run_id))
            break
    worker.stop()
    # Kept somewhere, the cursor lets another process go on from here: store.events.follow(after=cursor).
    print("followed to", feed.cursor)
