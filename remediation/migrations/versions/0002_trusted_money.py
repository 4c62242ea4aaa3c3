"""Money within bounds: released runs, modes, budgets, reviews, blocks, breakers, the audit log."""

import secrets
from itertools import groupby
from typing import Final

import sqlalchemy as sa
from alembic import op

from remediation.canonical import sha256_of

revision = "0002"
down_revision = "0001"

APPEND_ONLY: Final = ("audit", "postings")
_PAGE_ROWS: Final = 5_000
_TOLD: Final = {
    "run": "SELECT run_id, state FROM runs ORDER BY as_of, run_id",
    "remedy": "SELECT remedy_id, state FROM remedies ORDER BY remedy_id",
    "outbox": "SELECT outbox_id, state FROM outbox ORDER BY kind = 'mail', outbox_id",
}
_LINES: Final = sa.table("order_lines", sa.column("order_line_id"), sa.column("owed_minor"))
_REMEDIES: Final = sa.table(
    "remedies",
    sa.column("remedy_id"),
    sa.column("order_line_id"),
    sa.column("state"),
    sa.column("actions", sa.JSON()),
    sa.column("refund_reserved", sa.Boolean()),
)
_AUDIT: Final = sa.table(
    "audit",
    *map(
        sa.column,
        ("number", "at", "actor", "entity", "entity_id", "before", "after", "reason", "previous_sha256", "sha256"),
    ),
)
_DENIED: Final = "rows of this table are never altered or removed"


def upgrade() -> None:
    """Adds the tables and columns; what was finished before stays free to be sent."""
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("entity_id", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=True),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("previous_sha256", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.CheckConstraint("actor <> '' AND reason <> ''", name=op.f("ck_audit_by_somebody_for_a_reason")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit")),
        sa.UniqueConstraint("sha256", name=op.f("uq_audit_sha256")),
    )
    op.create_index("ix_audit_entity", "audit", ["entity", "entity_id"])

    op.create_table(
        "blocks",
        sa.Column("order_line_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('dispute', 'chargeback', 'manual_refund', 'fraud')", name=op.f("ck_blocks_kind_known")
        ),
        sa.PrimaryKeyConstraint("order_line_id", "kind", name=op.f("pk_blocks")),
    )
    op.create_table(
        "breakers",
        sa.Column("gateway", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("open_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("gateway", name=op.f("pk_breakers")),
    )
    op.create_table(
        "budgets",
        sa.Column("budget_id", sa.String(), nullable=False),
        sa.Column("cap", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("spent >= 0 AND spent <= cap", name=op.f("ck_budgets_spent_within_cap")),
        sa.PrimaryKeyConstraint("budget_id", name=op.f("pk_budgets")),
    )
    op.create_table(
        "control",
        sa.Column("control_id", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("canary_percent", sa.Integer(), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.CheckConstraint("mode IN ('off', 'shadow', 'canary', 'normal')", name=op.f("ck_control_mode_known")),
        sa.CheckConstraint(
            "canary_percent >= 0 AND canary_percent <= 100", name=op.f("ck_control_canary_percent_known")
        ),
        sa.CheckConstraint("control_id = 1", name=op.f("ck_control_one_row")),
        sa.PrimaryKeyConstraint("control_id", name=op.f("pk_control")),
    )
    op.create_table(
        "forgotten",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("forgotten_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_forgotten")),
    )
    op.create_table(
        "policies",
        sa.Column("policy_sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("policy_sha256", name=op.f("pk_policies")),
    )
    op.create_table(
        "reviews",
        sa.Column("subject_type", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("given_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("actor <> '' AND reason <> ''", name=op.f("ck_reviews_by_somebody_for_a_reason")),
        sa.CheckConstraint(
            "subject_type IN ('remedy', 'run', 'declined', 'outbox')", name=op.f("ck_reviews_subject_known")
        ),
        sa.CheckConstraint("verdict IN ('endorsed', 'approved', 'rejected')", name=op.f("ck_reviews_verdict_known")),
        sa.PrimaryKeyConstraint("subject_type", "subject_id", "number", name=op.f("pk_reviews")),
    )
    op.create_table(
        "session_prints",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=True),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", "session_id", name=op.f("pk_session_prints")),
    )
    op.create_table(
        "suppressions",
        sa.Column("address_sha256", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("reason IN ('bounce', 'complaint', 'request')", name=op.f("ck_suppressions_reason_known")),
        sa.PrimaryKeyConstraint("address_sha256", name=op.f("pk_suppressions")),
    )
    op.create_table(
        "spendings",
        sa.Column("budget_id", sa.String(), nullable=False),
        sa.Column("remedy_id", sa.String(length=36), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_spendings_amount_positive")),
        sa.ForeignKeyConstraint(["budget_id"], ["budgets.budget_id"], name=op.f("fk_spendings_budget_id")),
        sa.ForeignKeyConstraint(["remedy_id"], ["remedies.remedy_id"], name=op.f("fk_spendings_remedy_id")),
        sa.PrimaryKeyConstraint("budget_id", "remedy_id", name=op.f("pk_spendings")),
    )
    with op.batch_alter_table("outbox") as outbox:
        outbox.add_column(sa.Column("retry_at", sa.BigInteger(), nullable=True))
        outbox.add_column(sa.Column("problem", sa.Text(), nullable=True))
        outbox.add_column(sa.Column("canary_percentile", sa.Integer(), server_default="0", nullable=False))
        outbox.create_check_constraint(
            op.f("ck_outbox_canary_percentile_known"), "canary_percentile >= 0 AND canary_percentile < 100"
        )
    with op.batch_alter_table("remedies") as remedies:
        for column in ("refund_reserved", "goods_reserved"):
            remedies.add_column(sa.Column(column, sa.Boolean(), server_default=sa.false(), nullable=False))
    _alter_remedy_states("'proposed', 'approved', 'held', 'rejected', 'withdrawn'")
    op.create_index("ix_remedies_run_id", "remedies", ["run_id"])
    op.create_index("ix_findings_customer_id", "findings", ["customer_id"])
    op.create_index("ix_order_lines_payment_id", "order_lines", ["payment_id"])
    with op.batch_alter_table("runs") as runs:
        runs.add_column(sa.Column("state", sa.String(), server_default="recording", nullable=False))
        runs.add_column(sa.Column("figures", sa.JSON(none_as_null=True), nullable=True))
        runs.add_column(sa.Column("trips", sa.JSON(none_as_null=True), nullable=True))
        runs.create_check_constraint(
            op.f("ck_runs_state_known"), "state IN ('recording', 'released', 'held', 'withdrawn')"
        )
    _release_what_was_finished()
    _tell_what_was_there()
    op.execute(
        sa.text(
            "INSERT INTO control (control_id, mode, canary_percent, salt) VALUES (1, 'normal', 5, :salt)"
        ).bindparams(salt=secrets.token_hex(32))
    )
    for table in APPEND_ONLY:
        for statement in _guarding(table):
            op.execute(statement)


def downgrade() -> None:
    """Back to the first ledger. Bounds, reviews and the audit log are lost."""
    for table in APPEND_ONLY:
        for statement in _unguarding(table):
            op.execute(statement)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION makegood_append_only()")
    _close_what_is_new()
    with op.batch_alter_table("runs") as runs:
        runs.drop_constraint(op.f("ck_runs_state_known"), type_="check")
        for column in ("trips", "figures", "state"):
            runs.drop_column(column)
    op.drop_index("ix_order_lines_payment_id", "order_lines")
    op.drop_index("ix_findings_customer_id", "findings")
    op.drop_index("ix_remedies_run_id", "remedies")
    _alter_remedy_states("'proposed', 'approved', 'held'")
    with op.batch_alter_table("remedies") as remedies:
        for column in ("refund_reserved", "goods_reserved"):
            remedies.drop_column(column)
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_constraint(op.f("ck_outbox_canary_percentile_known"), type_="check")
        for column in ("canary_percentile", "problem", "retry_at"):
            outbox.drop_column(column)
    op.drop_table("spendings")
    op.drop_table("suppressions")
    op.drop_table("session_prints")
    op.drop_table("reviews")
    op.drop_table("policies")
    op.drop_table("forgotten")
    op.drop_table("control")
    op.drop_table("budgets")
    op.drop_table("breakers")
    op.drop_table("blocks")
    op.drop_table("audit")


def _alter_remedy_states(states: str) -> None:
    name = op.f("ck_remedies_state_known")
    with op.batch_alter_table("remedies") as remedies:
        remedies.drop_constraint(name, type_="check")
        remedies.create_check_constraint(name, f"state IN ({states})")


def _release_what_was_finished() -> None:
    """Runs from before there was a release: those that came to their end were free to be sent, held ones stay held."""
    op.execute("UPDATE runs SET state = 'released' WHERE CAST(counts AS TEXT) <> '{}'")
    op.execute(
        "UPDATE runs SET state = 'held' WHERE run_id IN"
        " (SELECT run_id FROM remedies JOIN outbox USING (remedy_id) WHERE outbox.state = 'held')"
    )
    op.execute("UPDATE outbox SET state = 'approved' WHERE state = 'held'")
    # What was approved had its part set aside. Goods that were held may not: an approval then asks for them once more.
    op.execute("UPDATE remedies SET refund_reserved = true, goods_reserved = true WHERE state = 'approved'")
    _mark_what_was_set_aside()


def _mark_what_was_set_aside() -> None:
    """Held remedies had their part of the price set aside, too, if that did not exceed what was paid.

    A line of which all is set aside that its remedies come to says so of each of
    them. Where it is less, nobody can say of which: an approval asks for it once more.
    """
    connection = op.get_bind()
    held = sa.select(_REMEDIES.c.order_line_id).where(_REMEDIES.c.state == "held")
    query = (
        sa.select(_REMEDIES, _LINES.c.owed_minor)
        .join(_LINES, _LINES.c.order_line_id == _REMEDIES.c.order_line_id)
        .where(_REMEDIES.c.order_line_id.in_(held))
        .order_by(_REMEDIES.c.order_line_id)
    )
    for _, of_line in groupby(connection.execute(query).all(), key=lambda row: row.order_line_id):
        remedies = tuple(of_line)
        refunds = (
            action["amount_minor"]
            for remedy in remedies
            for action in remedy.actions
            if action["kind"] in {"refund", "shipping_refund"}
        )
        if sum(refunds) == remedies[0].owed_minor:
            these = _REMEDIES.c.remedy_id.in_([remedy.remedy_id for remedy in remedies])
            connection.execute(sa.update(_REMEDIES).where(these).values(refund_reserved=True))


def _tell_what_was_there() -> None:
    """The audit log begins with all that the ledger held before it had one, so that nothing need be taken on trust.

    Runs come before what they sent, money and goods before the mails that tell of
    them. The moment is the latest that the old ledger names.
    """
    connection = op.get_bind()
    at = connection.scalar(sa.text("SELECT COALESCE(MAX(as_of), 0) FROM runs"))
    number, previous = 0, "0" * 64
    for entity, query in _TOLD.items():
        found = connection.execute(sa.text(query).execution_options(yield_per=_PAGE_ROWS))
        for page in found.partitions():
            rows: list[dict[str, object]] = []
            for entity_id, state in page:
                number += 1
                row = {
                    "number": number,
                    "at": at,
                    "actor": "migration",
                    "entity": entity,
                    "entity_id": entity_id,
                    "before": None,
                    "after": state,
                    "reason": "it was in the ledger before there was an audit log",
                    "previous_sha256": previous,
                }
                previous = sha256_of(row)
                rows.append({**row, "sha256": previous})
            connection.execute(_AUDIT.insert(), rows)


def _close_what_is_new() -> None:
    """What the older ledger has no word for waits for a person there; nothing is sent because of going back."""
    op.execute(
        "UPDATE outbox SET state = 'held' WHERE state = 'approved' AND remedy_id IN"
        " (SELECT remedy_id FROM remedies JOIN runs USING (run_id) WHERE runs.state <> 'released')"
    )
    op.execute("UPDATE outbox SET state = 'manual' WHERE state = 'sending' AND kind <> 'refund'")
    op.execute("UPDATE outbox SET state = 'unknown' WHERE state = 'sending' AND kind = 'refund'")
    op.execute("UPDATE remedies SET state = 'held' WHERE state IN ('rejected', 'withdrawn')")


def _guarding(table: str) -> tuple[str, ...]:
    """Triggers that refuse to alter or remove a row."""
    if op.get_bind().dialect.name == "postgresql":
        return (
            f"""
            CREATE OR REPLACE FUNCTION makegood_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION '{_DENIED}'; END $$
            """,
            f"""
            CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION makegood_append_only()
            """,
        )
    return tuple(
        f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{_DENIED}'); END"
        for event in ("UPDATE", "DELETE")
    )


def _unguarding(table: str) -> tuple[str, ...]:
    if op.get_bind().dialect.name == "postgresql":
        return (f"DROP TRIGGER {table}_append_only ON {table}",)
    return tuple(f"DROP TRIGGER {table}_no_{event}" for event in ("update", "delete"))
