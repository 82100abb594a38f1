"""What installed packages add to all of `loop.yaml`."""

from lineage.loop.plugins import Plugin
from lineage.loop.spec.evaluation import OWN_MEASURES
from lineage.loop.spec.gates import GATES
from lineage.loop.spec.steps import STEP_PLUGINS


def installed() -> list[tuple[Plugin, str]]:
    """Steps, measures and gates, each with why it cannot be used, if so."""
    groups = (STEP_PLUGINS, OWN_MEASURES, GATES)
    return [(plugin, group.trouble(plugin)) for group in groups for plugin in group]
