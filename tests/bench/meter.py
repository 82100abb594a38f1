"""Run a command and write what it took into a file: `meter.py FILE COMMAND…`.

A process of its own, because a child's peak memory is never less than its parent's at
the time of the fork, and this one is small.
"""

import os
import sys
import time


def main(target: str, command: list[str]) -> None:
    """Wall and CPU seconds, bytes at the peak, the exit status."""
    begun = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - begun
    cpu = usage.ru_utime + usage.ru_stime
    code = os.waitstatus_to_exitcode(status)
    with open(target, "w") as file:  # noqa: PTH123 - pathlib would be megabytes
        file.write(f"{wall} {cpu} {usage.ru_maxrss * 1024} {code}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
