"""Periodic work by a schedule: periodic.py [URL [SCHEMA]]"""

import sys
import threading

import sprongus

URL = sys.argv[1] if len(sys.argv) > 1 else "periodic.db"
SCHEMA = sys.argv[2] if len(sys.argv) > 2 else None

with sprongus.open(URL, schema=SCHEMA) as store:
    # However many processes say so and work it, each slot has one run.
    store.schedules.put("heartbeat", "check", {"what": "disk"}, every=1)
    store.schedules.put("nightly", "report", cron="0 3 * * *", tz="Europe/Berlin", catch_up=3600)
    print("the next report is due at", store.schedules.get("nightly").next_at)

    twice = threading.Semaphore(0)
    worker = store.worker()

    @worker.handler("check")
    def check(context: sprongus.Context) -> str:
        print("checking the", context.input["what"])
        twice.release()
        return "fine"

    worker.start()
    for _ in range(2):
        twice.acquire()
    worker.stop()
    store.schedules.delete("heartbeat")
