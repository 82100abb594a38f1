"""A transfer that kills itself: `python -c WORK push|fetch BYTES [packed]`."""

WORK = """
import os, signal, sys
import lineage
from lineage.transfer import fetch_payloads, push_payloads
told, limit = 0, int(sys.argv[2])
def progress(count):
    global told
    told += count
    if told > limit:
        os.kill(os.getpid(), signal.SIGKILL)
with lineage.open(".") as registry:
    ids = [record.id for record in registry.ids]
    if sys.argv[1] == "push":
        push_payloads(registry, None, ids, progress, packed="packed" in sys.argv)
    else:
        fetch_payloads(registry, None, ids, progress)
"""
