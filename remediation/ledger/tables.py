"""Every table of the ledger; constraints hold what constraints can hold.

Times are milliseconds since the epoch, money is integer minor units. Names and
addresses stand in `customers` alone.
"""

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from remediation.outbox.states import State

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

CUSTOMERS: Final = Table(
    "customers",
    METADATA,
    Column("customer_id", String, primary_key=True),
    Column("email", String, nullable=False),
    Column("name", String),
    Column("locale", String, nullable=False),
    Column("timezone", String, nullable=False),
    Column("voice", String, nullable=False),
)

ORDER_LINES: Final = Table(
    "order_lines",
    METADATA,
    Column("order_line_id", String, primary_key=True),
    Column("order_id", String, nullable=False),
    Column("customer_id", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("item_id", String, nullable=False),
    Column("title", JSON, nullable=False),  # text, or texts by locale
    Column("quantity", Integer, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("shipping_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("payment_id", String),
    Column("purchased_at", BigInteger, nullable=False),
    Column("available_until", BigInteger),
    Column("promised_date", Date),
    Column("tracking_number", String),
    Column("carrier", String),
    Column("ship_to", JSON(none_as_null=True)),
    # The refunds of all remedies on this line, paid or not. The ledger raises it, an import never touches it.
    Column("owed_minor", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("owed_minor >= 0 AND owed_minor <= amount_minor + shipping_minor", name="owed_within_paid"),
    CheckConstraint("amount_minor >= 0", name="amount_not_negative"),
    CheckConstraint("shipping_minor >= 0", name="shipping_not_negative"),
    CheckConstraint("quantity >= 1", name="quantity_positive"),
    Index("ix_order_lines_customer_item", "customer_id", "item_id"),
    Index("ix_order_lines_payment_id", "payment_id"),
)

GRANTS: Final = Table(
    "grants",
    METADATA,
    Column("session_id", String, primary_key=True),
    Column("order_line_id", String, primary_key=True),
    Column("customer_id", String, nullable=False),
    Column("granted_at", BigInteger, nullable=False),
)

RUNS: Final = Table(
    "runs",
    METADATA,
    Column("run_id", String, primary_key=True),  # a digest of as_of, policy, detector version and inputs
    Column("as_of", BigInteger, nullable=False),
    Column("policy_sha256", String(64), nullable=False),
    Column("detector_version", String, nullable=False),
    Column("counts", JSON, nullable=False),  # records in, used, duplicate, rejected, late; sessions; findings by kind
    # Nothing of a run is sent before it is released: by the guards at its end, or by a person.
    Column("state", String, nullable=False, server_default="recording"),
    Column("figures", JSON(none_as_null=True)),  # what the guards judge; null until the run has come to its end
    Column("trips", JSON(none_as_null=True)),  # the guards that stood against it, with their reasons in words
    Column("kind", String, nullable=False, server_default="night"),  # a whole night, or a slice of a stream
    CheckConstraint("state IN ('recording', 'released', 'held', 'withdrawn')", name="state_known"),
    CheckConstraint("kind IN ('night', 'stream')", name="kind_known"),
    Index("ix_runs_kind", "kind", "as_of"),
)

RUN_INPUTS: Final = Table(
    "run_inputs",
    METADATA,
    Column("run_id", ForeignKey("runs.run_id"), primary_key=True),
    Column("role", String, primary_key=True),  # telemetry, orders, customers, grants, policy
    Column("name", String, primary_key=True),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("rows", BigInteger, nullable=False),
)

FINDINGS: Final = Table(
    "findings",
    METADATA,
    Column("finding_id", String(36), primary_key=True),
    Column("kind", String, nullable=False),
    Column("subject_type", String, nullable=False),
    Column("subject_id", String, nullable=False, index=True),
    Column("customer_id", String, index=True),
    Column("content_id", String),
    Column("order_line_id", String, index=True),
    Column("severity", Float, nullable=False),
    Column("occurred_from", BigInteger, nullable=False),
    Column("occurred_to", BigInteger, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("fault", String, nullable=False),
    Column("detector_version", String, nullable=False),
    Column("as_of", BigInteger, nullable=False, server_default="0"),  # of the run whose figures these are
    Column("figures_sha256", String(64), nullable=False, server_default=""),
    CheckConstraint("severity >= 0 AND severity <= 1", name="severity_ratio"),
)

REMEDIES: Final = Table(
    "remedies",
    METADATA,
    Column("remedy_id", String(36), primary_key=True),
    Column("order_line_id", ForeignKey("order_lines.order_line_id"), nullable=False),
    Column("number", Integer, nullable=False),  # 1, and top-ups from 2
    Column("customer_id", String, nullable=False, index=True),
    Column("actions", JSON, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("policy_sha256", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("as_of", BigInteger, nullable=False),
    Column("evidence_sha256", String(64), nullable=False),
    Column("run_id", ForeignKey("runs.run_id"), nullable=False),
    UniqueConstraint("order_line_id", "number", name="uq_remedies_slot"),
    CheckConstraint("amount >= 0", name="amount_not_negative"),
    CheckConstraint("number >= 1", name="number_from_one"),
    # Whether its part of the line's price, and of the stock, is set aside for it.
    Column("refund_reserved", Boolean, nullable=False, server_default=false()),
    Column("goods_reserved", Boolean, nullable=False, server_default=false()),
    # Where goodwill was earned while some customers are held out from it: whether it was given, and what was not.
    Column("arm", String),
    Column("withheld_minor", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("arm IN ('goodwill', 'holdout')", name="arm_known"),
    CheckConstraint("withheld_minor >= 0", name="withheld_not_negative"),
    CheckConstraint("(withheld_minor > 0) = (arm IS NOT NULL AND arm = 'holdout')", name="withheld_from_holdouts"),
    CheckConstraint("state IN ('proposed', 'approved', 'held', 'rejected', 'withdrawn')", name="state_known"),
    Index("ix_remedies_run_id", "run_id"),
)

REMEDY_FINDINGS: Final = Table(
    "remedy_findings",
    METADATA,
    Column("remedy_id", ForeignKey("remedies.remedy_id"), primary_key=True),
    Column("finding_id", ForeignKey("findings.finding_id"), primary_key=True),
    # The figures on which this remedy was decided: late data may refresh the finding itself.
    Column("evidence", JSON(none_as_null=True)),
)

DECLINED: Final = Table(
    "declined",
    METADATA,
    Column("declined_id", String(36), primary_key=True),
    Column("subject_type", String, nullable=False),
    Column("subject_id", String, nullable=False, index=True),
    Column("order_line_id", String, index=True),
    Column("customer_id", String),
    Column("finding_ids", JSON, nullable=False),
    Column("outcome", String, nullable=False),  # declined, review
    Column("code", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("run_id", ForeignKey("runs.run_id"), nullable=False),
    CheckConstraint("outcome IN ('declined', 'review')", name="outcome_known"),
)

MAILS: Final = Table(
    "mails",
    METADATA,
    Column("remedy_id", ForeignKey("remedies.remedy_id"), primary_key=True),
    Column("message_id", String, nullable=False, unique=True),
    Column("language", String, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("html", Text, nullable=False),
)

OUTBOX: Final = Table(
    "outbox",
    METADATA,
    Column("outbox_id", String(36), primary_key=True),
    Column("remedy_id", ForeignKey("remedies.remedy_id"), nullable=False, index=True),
    Column("kind", String, nullable=False),  # refund, mail, or a remedy's action that a person carries out
    Column("state", String, nullable=False),  # see DESIGN 5: states only move forward
    Column("amount_minor", BigInteger),  # of a refund or a credit; null for what moves no money
    Column("currency", String(3)),
    Column("not_before", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("claimed_at", BigInteger),  # when the first attempt began, so that the age of its key is known
    # Null while an attempt is being made. A time says that the last one is over and when the next may begin.
    Column("retry_at", BigInteger),
    Column("problem", Text),  # what the other side said last, without names, addresses and secrets
    Column("canary_percentile", Integer, nullable=False, server_default="0"),  # 0 to 99, by the customer's keyed hash
    Column("provider_reference", String),
    Column("settled_at", BigInteger),
    UniqueConstraint("remedy_id", "kind", name="uq_outbox_once"),
    CheckConstraint("amount_minor > 0", name="amount_positive"),
    CheckConstraint("(amount_minor IS NULL) = (currency IS NULL)", name="amount_with_currency"),
    CheckConstraint(f"state IN ({', '.join(repr(str(state)) for state in State)})", name="state_known"),
    CheckConstraint("canary_percentile >= 0 AND canary_percentile < 100", name="canary_percentile_known"),
    Index("ix_outbox_due", "state", "not_before"),
)

POSTINGS: Final = Table(
    "postings",
    METADATA,
    Column("transaction_id", String(36), primary_key=True),
    Column("account", String, primary_key=True),
    Column("remedy_id", ForeignKey("remedies.remedy_id"), nullable=False, index=True),
    Column("currency", String(3), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),  # debit positive, credit negative; a transaction sums to zero
    Column("posted_at", BigInteger, nullable=False),
)

SCANS: Final = Table(
    "scans",
    METADATA,
    Column("scan_id", String(36), primary_key=True),  # of parcel, time, status and reason
    Column("tracking_number", String, nullable=False, index=True),
    Column("carrier", String),
    Column("event_time", BigInteger, nullable=False),
    Column("status", String, nullable=False),
    Column("reason", String),
    Column("lat", Float),
    Column("lon", Float),
    Column("proof", String),
    Column("depot", String),
    Column("promised_at", BigInteger),
)

CONTACTS: Final = Table(
    "contacts",
    METADATA,
    Column("contact_id", String, primary_key=True),
    Column("customer_id", String, nullable=False, index=True),
    Column("order_line_id", String, index=True),
    Column("event_time", BigInteger, nullable=False),
    Column("topic", String, nullable=False),
    Column("language", String),
    Column("voice", String),
    Column("received_item_id", String),
)

STOCK: Final = Table(
    "stock",
    METADATA,
    Column("item_id", String, primary_key=True),
    Column("available", BigInteger, nullable=False),  # as the warehouse counted it last
    # What was promised since that count. The ledger keeps both; another count starts anew.
    Column("counted", BigInteger),
    Column("promised", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("available >= 0", name="available_not_negative"),
    CheckConstraint("promised >= 0", name="promised_not_negative"),
)

TICKETS: Final = Table(
    "tickets",
    METADATA,
    Column("ticket_id", String(36), primary_key=True),
    Column("incident_id", String(36), nullable=False),
    Column("number", Integer, nullable=False),  # 1, and from 2 where failures came after a person had closed it
    Column("kind", String, nullable=False),
    Column("cohort", JSON, nullable=False),  # what the failures share: dimension and value
    Column("failure_kinds", JSON, nullable=False),
    Column("claim", Text, nullable=False),
    Column("fault", String, nullable=False),
    Column("figures", JSON(none_as_null=True)),  # null where the claim rests on no statistics
    Column("affected_count", BigInteger, nullable=False),
    Column("confirmed_by_customers", BigInteger, nullable=False),
    Column("suggested_action", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("opened_at", BigInteger, nullable=False),  # as_of of the run that opened it
    Column("as_of", BigInteger, nullable=False),  # of the run whose figures these are
    Column("closed_at", BigInteger),
    Column("run_id", ForeignKey("runs.run_id"), nullable=False),  # that opened it
    UniqueConstraint("incident_id", "number", name="uq_tickets_number"),
    CheckConstraint("number >= 1", name="number_from_one"),
    CheckConstraint("state IN ('open', 'confirmed', 'done', 'rejected')", name="state_known"),
    CheckConstraint("(state IN ('done', 'rejected')) = (closed_at IS NOT NULL)", name="closed_when_closed"),
)

TICKET_LINES: Final = Table(
    "ticket_lines",
    METADATA,
    Column("ticket_id", ForeignKey("tickets.ticket_id"), primary_key=True),
    Column("subject_type", String, primary_key=True),
    Column("subject_id", String, primary_key=True),
    Column("occurred_at", BigInteger, nullable=False),
)

TICKET_CHANGES: Final = Table(
    "ticket_changes",
    METADATA,
    Column("ticket_id", ForeignKey("tickets.ticket_id"), primary_key=True),
    Column("number", Integer, primary_key=True),  # 1, 2 ... in the order in which they were made
    Column("state_before", String, nullable=False),
    Column("state_after", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    CheckConstraint("actor <> '' AND reason <> ''", name="by_somebody_for_a_reason"),
)
