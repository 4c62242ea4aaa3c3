"""The ledger as it began: orders, findings, remedies, mails, outbox, postings, parcels and tickets."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes every table."""
    op.create_table(
        "contacts",
        sa.Column("contact_id", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("order_line_id", sa.String(), nullable=True),
        sa.Column("event_time", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("voice", sa.String(), nullable=True),
        sa.Column("received_item_id", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_contacts")),
    )
    op.create_index("ix_contacts_customer_id", "contacts", ["customer_id"])
    op.create_index("ix_contacts_order_line_id", "contacts", ["order_line_id"])

    op.create_table(
        "customers",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("voice", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_customers")),
    )
    op.create_table(
        "findings",
        sa.Column("finding_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_type", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=True),
        sa.Column("content_id", sa.String(), nullable=True),
        sa.Column("order_line_id", sa.String(), nullable=True),
        sa.Column("severity", sa.Float(), nullable=False),
        sa.Column("occurred_from", sa.BigInteger(), nullable=False),
        sa.Column("occurred_to", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("fault", sa.String(), nullable=False),
        sa.Column("detector_version", sa.String(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("figures_sha256", sa.String(length=64), server_default="", nullable=False),
        sa.CheckConstraint("severity >= 0 AND severity <= 1", name=op.f("ck_findings_severity_ratio")),
        sa.PrimaryKeyConstraint("finding_id", name=op.f("pk_findings")),
    )
    op.create_index("ix_findings_order_line_id", "findings", ["order_line_id"])
    op.create_index("ix_findings_subject_id", "findings", ["subject_id"])

    op.create_table(
        "grants",
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("order_line_id", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("granted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "order_line_id", name=op.f("pk_grants")),
    )
    op.create_table(
        "order_lines",
        sa.Column("order_line_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("title", sa.JSON(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("shipping_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("payment_id", sa.String(), nullable=True),
        sa.Column("purchased_at", sa.BigInteger(), nullable=False),
        sa.Column("available_until", sa.BigInteger(), nullable=True),
        sa.Column("promised_date", sa.Date(), nullable=True),
        sa.Column("tracking_number", sa.String(), nullable=True),
        sa.Column("carrier", sa.String(), nullable=True),
        sa.Column("ship_to", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("owed_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_order_lines_amount_not_negative")),
        sa.CheckConstraint(
            "owed_minor >= 0 AND owed_minor <= amount_minor + shipping_minor",
            name=op.f("ck_order_lines_owed_within_paid"),
        ),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_order_lines_quantity_positive")),
        sa.CheckConstraint("shipping_minor >= 0", name=op.f("ck_order_lines_shipping_not_negative")),
        sa.PrimaryKeyConstraint("order_line_id", name=op.f("pk_order_lines")),
    )
    op.create_index("ix_order_lines_customer_item", "order_lines", ["customer_id", "item_id"])

    op.create_table(
        "runs",
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("policy_sha256", sa.String(length=64), nullable=False),
        sa.Column("detector_version", sa.String(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_runs")),
    )
    op.create_table(
        "scans",
        sa.Column("scan_id", sa.String(length=36), nullable=False),
        sa.Column("tracking_number", sa.String(), nullable=False),
        sa.Column("carrier", sa.String(), nullable=True),
        sa.Column("event_time", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("lon", sa.Float(), nullable=True),
        sa.Column("proof", sa.String(), nullable=True),
        sa.Column("depot", sa.String(), nullable=True),
        sa.Column("promised_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("scan_id", name=op.f("pk_scans")),
    )
    op.create_index("ix_scans_tracking_number", "scans", ["tracking_number"])

    op.create_table(
        "stock",
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("available", sa.BigInteger(), nullable=False),
        sa.Column("counted", sa.BigInteger(), nullable=True),
        sa.Column("promised", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("available >= 0", name=op.f("ck_stock_available_not_negative")),
        sa.CheckConstraint("promised >= 0", name=op.f("ck_stock_promised_not_negative")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_stock")),
    )
    op.create_table(
        "declined",
        sa.Column("declined_id", sa.String(length=36), nullable=False),
        sa.Column("subject_type", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("order_line_id", sa.String(), nullable=True),
        sa.Column("customer_id", sa.String(), nullable=True),
        sa.Column("finding_ids", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.CheckConstraint("outcome IN ('declined', 'review')", name=op.f("ck_declined_outcome_known")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_declined_run_id")),
        sa.PrimaryKeyConstraint("declined_id", name=op.f("pk_declined")),
    )
    op.create_index("ix_declined_order_line_id", "declined", ["order_line_id"])
    op.create_index("ix_declined_subject_id", "declined", ["subject_id"])

    op.create_table(
        "remedies",
        sa.Column("remedy_id", sa.String(length=36), nullable=False),
        sa.Column("order_line_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("actions", sa.JSON(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("policy_sha256", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("evidence_sha256", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.CheckConstraint("state IN ('proposed', 'approved', 'held')", name=op.f("ck_remedies_state_known")),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_remedies_amount_not_negative")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_remedies_number_from_one")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.order_line_id"], name=op.f("fk_remedies_order_line_id")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_remedies_run_id")),
        sa.PrimaryKeyConstraint("remedy_id", name=op.f("pk_remedies")),
        sa.UniqueConstraint("order_line_id", "number", name="uq_remedies_slot"),
    )
    op.create_index("ix_remedies_customer_id", "remedies", ["customer_id"])

    op.create_table(
        "run_inputs",
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_run_inputs_run_id")),
        sa.PrimaryKeyConstraint("run_id", "role", "name", name=op.f("pk_run_inputs")),
    )
    op.create_table(
        "tickets",
        sa.Column("ticket_id", sa.String(length=36), nullable=False),
        sa.Column("incident_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("cohort", sa.JSON(), nullable=False),
        sa.Column("failure_kinds", sa.JSON(), nullable=False),
        sa.Column("claim", sa.Text(), nullable=False),
        sa.Column("fault", sa.String(), nullable=False),
        sa.Column("figures", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("affected_count", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_by_customers", sa.BigInteger(), nullable=False),
        sa.Column("suggested_action", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.CheckConstraint(
            "(state IN ('done', 'rejected')) = (closed_at IS NOT NULL)", name=op.f("ck_tickets_closed_when_closed")
        ),
        sa.CheckConstraint("state IN ('open', 'confirmed', 'done', 'rejected')", name=op.f("ck_tickets_state_known")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_tickets_number_from_one")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_tickets_run_id")),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("incident_id", "number", name="uq_tickets_number"),
    )
    op.create_table(
        "mails",
        sa.Column("remedy_id", sa.String(length=36), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["remedy_id"], ["remedies.remedy_id"], name=op.f("fk_mails_remedy_id")),
        sa.PrimaryKeyConstraint("remedy_id", name=op.f("pk_mails")),
        sa.UniqueConstraint("message_id", name=op.f("uq_mails_message_id")),
    )
    op.create_table(
        "outbox",
        sa.Column("outbox_id", sa.String(length=36), nullable=False),
        sa.Column("remedy_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.Column("provider_reference", sa.String(), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('proposed', 'held', 'approved', 'sending', 'sent', 'settled', 'unknown', 'failed', 'manual', 'rejected', 'cancelled')",
            name=op.f("ck_outbox_state_known"),
        ),
        sa.CheckConstraint("(amount_minor IS NULL) = (currency IS NULL)", name=op.f("ck_outbox_amount_with_currency")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_outbox_amount_positive")),
        sa.ForeignKeyConstraint(["remedy_id"], ["remedies.remedy_id"], name=op.f("fk_outbox_remedy_id")),
        sa.PrimaryKeyConstraint("outbox_id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("remedy_id", "kind", name="uq_outbox_once"),
    )
    op.create_index("ix_outbox_due", "outbox", ["state", "not_before"])
    op.create_index("ix_outbox_remedy_id", "outbox", ["remedy_id"])

    op.create_table(
        "postings",
        sa.Column("transaction_id", sa.String(length=36), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("remedy_id", sa.String(length=36), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("posted_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["remedy_id"], ["remedies.remedy_id"], name=op.f("fk_postings_remedy_id")),
        sa.PrimaryKeyConstraint("transaction_id", "account", name=op.f("pk_postings")),
    )
    op.create_index("ix_postings_remedy_id", "postings", ["remedy_id"])

    op.create_table(
        "remedy_findings",
        sa.Column("remedy_id", sa.String(length=36), nullable=False),
        sa.Column("finding_id", sa.String(length=36), nullable=False),
        sa.Column("evidence", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(["finding_id"], ["findings.finding_id"], name=op.f("fk_remedy_findings_finding_id")),
        sa.ForeignKeyConstraint(["remedy_id"], ["remedies.remedy_id"], name=op.f("fk_remedy_findings_remedy_id")),
        sa.PrimaryKeyConstraint("remedy_id", "finding_id", name=op.f("pk_remedy_findings")),
    )
    op.create_table(
        "ticket_changes",
        sa.Column("ticket_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state_before", sa.String(), nullable=False),
        sa.Column("state_after", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("actor <> '' AND reason <> ''", name=op.f("ck_ticket_changes_by_somebody_for_a_reason")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.ticket_id"], name=op.f("fk_ticket_changes_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", "number", name=op.f("pk_ticket_changes")),
    )
    op.create_table(
        "ticket_lines",
        sa.Column("ticket_id", sa.String(length=36), nullable=False),
        sa.Column("subject_type", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.ticket_id"], name=op.f("fk_ticket_lines_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", "subject_type", "subject_id", name=op.f("pk_ticket_lines")),
    )


def downgrade() -> None:
    """Removes every table, with all that it holds."""
    op.drop_table("ticket_lines")
    op.drop_table("ticket_changes")
    op.drop_table("remedy_findings")
    op.drop_index("ix_postings_remedy_id", "postings")

    op.drop_table("postings")
    op.drop_index("ix_outbox_remedy_id", "outbox")
    op.drop_index("ix_outbox_due", "outbox")

    op.drop_table("outbox")
    op.drop_table("mails")
    op.drop_table("tickets")
    op.drop_table("run_inputs")
    op.drop_index("ix_remedies_customer_id", "remedies")

    op.drop_table("remedies")
    op.drop_index("ix_declined_subject_id", "declined")
    op.drop_index("ix_declined_order_line_id", "declined")

    op.drop_table("declined")
    op.drop_table("stock")
    op.drop_index("ix_scans_tracking_number", "scans")

    op.drop_table("scans")
    op.drop_table("runs")
    op.drop_index("ix_order_lines_customer_item", "order_lines")

    op.drop_table("order_lines")
    op.drop_table("grants")
    op.drop_index("ix_findings_subject_id", "findings")
    op.drop_index("ix_findings_order_line_id", "findings")

    op.drop_table("findings")
    op.drop_table("customers")
    op.drop_index("ix_contacts_order_line_id", "contacts")
    op.drop_index("ix_contacts_customer_id", "contacts")

    op.drop_table("contacts")
