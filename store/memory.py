"""What the C library does with memory that is freed."""

import ctypes
from contextlib import suppress

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_KEPT = 256 << 20  # bytes
_LARGEST = 32 << 20  # bytes of one piece; glibc takes no more


def keep_freed_memory() -> None:
    """Let this process keep some memory that it freed, for what it needs next.

    Without it glibc gives every block of a few MiB back at once, and the kernel clears
    all its pages anew for the next: a third of the time that decoding takes. Other C
    libraries stay as they are.
    """
    with suppress(AttributeError, OSError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_TRIM_THRESHOLD, _KEPT)
        mallopt(_MMAP_THRESHOLD, _LARGEST)
