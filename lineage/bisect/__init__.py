"""Which commit broke it: the first bad one on the way from a good one to a bad one.

The way is along ``follows`` and ``revises``. By a metric, all of it is read at once,
because the values are recorded; by a command, as few commits as possible are tried.
Noise is heard: what it leaves open is said, and no commit is named that it may clear.
"""

from lineage.bisect.command import by_command
from lineage.bisect.metric import by_metric
from lineage.bisect.result import Bisected, Probe

__all__ = ["Bisected", "Probe", "by_command", "by_metric"]
