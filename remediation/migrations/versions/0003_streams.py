"""Runs of a stream beside those of a night."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Every run so far was a night's."""
    with op.batch_alter_table("runs") as runs:
        runs.add_column(sa.Column("kind", sa.String(), server_default="night", nullable=False))
        runs.create_check_constraint(op.f("ck_runs_kind_known"), "kind IN ('night', 'stream')")
    op.create_index("ix_runs_kind", "runs", ["kind", "as_of"])


def downgrade() -> None:
    """A stream's runs stay, as nights."""
    op.drop_index("ix_runs_kind", "runs")
    with op.batch_alter_table("runs") as runs:
        runs.drop_constraint(op.f("ck_runs_kind_known"), type_="check")
        runs.drop_column("kind")
