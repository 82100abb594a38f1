"""${message}."""
# ruff: noqa: TID253 - Alembic imports this module, nothing else does

import sqlalchemy as sa
import sqlmodel
from alembic import op
${imports if imports else ""}
revision = "${up_revision}"
down_revision = "${down_revision}"


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
