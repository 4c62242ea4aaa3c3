"""Goodwill that is withheld from hold-outs, and who gets it."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_CHECKS: Final = {
    "arm_known": "arm IN ('goodwill', 'holdout')",
    "withheld_not_negative": "withheld_minor >= 0",
    "withheld_from_holdouts": "(withheld_minor > 0) = (arm IS NOT NULL AND arm = 'holdout')",
}


def upgrade() -> None:
    """Nobody was held out so far."""
    with op.batch_alter_table("remedies") as remedies:
        remedies.add_column(sa.Column("arm", sa.String(), nullable=True))
        remedies.add_column(sa.Column("withheld_minor", sa.BigInteger(), server_default="0", nullable=False))
        for name, condition in _CHECKS.items():
            remedies.create_check_constraint(op.f(f"ck_remedies_{name}"), condition)


def downgrade() -> None:
    """What was withheld is forgotten, and was never owed."""
    with op.batch_alter_table("remedies") as remedies:
        for name in _CHECKS:
            remedies.drop_constraint(op.f(f"ck_remedies_{name}"), type_="check")
        remedies.drop_column("withheld_minor")
        remedies.drop_column("arm")
