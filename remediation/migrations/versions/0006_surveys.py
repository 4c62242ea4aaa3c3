"""Surveys: who was asked, and what was answered."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Nobody was asked so far."""
    op.create_table(
        "surveys",
        sa.Column("survey_id", sa.String(length=36), nullable=False),
        sa.Column("remedy_id", sa.String(length=36), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("every_days", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("unsubscribed_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("every_days >= 1", name=op.f("ck_surveys_every_days_positive")),
        sa.CheckConstraint("period = asked_at / (every_days * 86400000)", name=op.f("ck_surveys_period_of_asking")),
        sa.CheckConstraint("score >= 0 AND score <= 10", name=op.f("ck_surveys_score_from_0_to_10")),
        sa.CheckConstraint("(score IS NULL) = (answered_at IS NULL)", name=op.f("ck_surveys_score_with_its_moment")),
        sa.CheckConstraint("answered_at >= asked_at", name=op.f("ck_surveys_answered_after_asking")),
        sa.ForeignKeyConstraint(["remedy_id"], ["remedies.remedy_id"], name=op.f("fk_surveys_remedy_id")),
        sa.PrimaryKeyConstraint("survey_id", name=op.f("pk_surveys")),
        sa.UniqueConstraint("customer_id", "every_days", "period", name="uq_surveys_once_a_period"),
        sa.UniqueConstraint("message_id", name=op.f("uq_surveys_message_id")),
        sa.UniqueConstraint("remedy_id", name=op.f("uq_surveys_remedy_id")),
    )


def downgrade() -> None:
    """Texts and answers go. What was sent stays in the outbox and in the log; what was not is never sent."""
    op.drop_table("surveys")
