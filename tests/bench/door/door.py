"""door.py STORE ID CALLS: for each line of input reads that run so many times, and prints nanoseconds a call."""

import sys
from time import perf_counter_ns

import sprongus

url, id, calls = sys.argv[1], sys.argv[2], int(sys.argv[3])
get = sprongus.open(url).runs.get
for _ in sys.stdin:
    start = perf_counter_ns()
    for _ in range(calls):
        get(id)
    print((perf_counter_ns() - start) / calls, flush=True)
