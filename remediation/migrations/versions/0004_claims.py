"""What each run found on an order line, so that it can be decided once more under another policy."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Of earlier runs there is nothing to fill in: it was not written down."""
    op.create_table(
        "claims",
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("order_line_id", sa.String(), nullable=False),
        sa.Column("evidence_sha256", sa.String(length=64), nullable=False),
        sa.Column("gist_sha256", sa.String(length=64), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("audit_number", sa.BigInteger(), nullable=False),
        sa.Column("available", sa.BigInteger(), nullable=True),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_claims_run_id")),
        sa.PrimaryKeyConstraint("run_id", "order_line_id", "evidence_sha256", name=op.f("pk_claims")),
    )
    op.create_index(op.f("ix_claims_order_line_id"), "claims", ["order_line_id"])
    op.create_index(op.f("ix_claims_customer_id"), "claims", ["customer_id"])


def downgrade() -> None:
    """What was kept for replays is gone."""
    op.drop_table("claims")
