"""`lineage import`: what other systems know, as commits.

Each system has a module `cli/import_NAME.py` with its command.
"""

import click

from lineage.cli.command import Group
from lineage.cli.import_dvc import import_dvc
from lineage.cli.import_hf import import_hf
from lineage.cli.import_mlflow import import_mlflow


@click.group(name="import", cls=Group)
def import_() -> None:
    """Record what another system knows.

    What it says was made of what becomes edges, declared and not observed; digests
    that it gives are kept as claims, and never become ids. Importing again records
    only what is new.
    """


import_.add_command(import_dvc, "dvc")
import_.add_command(import_hf, "hf")
import_.add_command(import_mlflow, "mlflow")
