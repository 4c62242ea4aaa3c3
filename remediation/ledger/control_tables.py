"""The tables that keep money within bounds and say who did what; `tables` holds what is owed and to whom.

Times are milliseconds since the epoch, money is integer minor units.
"""

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from remediation.ledger.tables import METADATA

POLICIES: Final = Table(
    "policies",
    METADATA,
    Column("policy_sha256", String(64), primary_key=True),
    Column("content", JSON, nullable=False),  # every figure, so that what was decided under it can be read later
)

CONTROL: Final = Table(
    "control",
    METADATA,
    Column("control_id", Integer, primary_key=True),  # the one row, 1
    Column("mode", String, nullable=False),
    Column("canary_percent", Integer, nullable=False),  # the share of customers whom mode canary serves
    Column("salt", String(64), nullable=False),  # of this ledger alone: keys the canary's choice and hashed addresses
    CheckConstraint("control_id = 1", name="one_row"),
    CheckConstraint("mode IN ('off', 'shadow', 'canary', 'normal')", name="mode_known"),
    CheckConstraint("canary_percent >= 0 AND canary_percent <= 100", name="canary_percent_known"),
)

BUDGETS: Final = Table(
    "budgets",
    METADATA,
    Column("budget_id", String, primary_key=True),  # scope, whose, period and currency
    Column("cap", BigInteger, nullable=False),  # minor units of money, or a count of pay-outs
    Column("spent", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("spent >= 0 AND spent <= cap", name="spent_within_cap"),
)

SPENDINGS: Final = Table(
    "spendings",
    METADATA,
    Column("budget_id", ForeignKey("budgets.budget_id"), primary_key=True),
    Column("remedy_id", ForeignKey("remedies.remedy_id"), primary_key=True),
    Column("amount", BigInteger, nullable=False),
    CheckConstraint("amount > 0", name="amount_positive"),
)

REVIEWS: Final = Table(
    "reviews",
    METADATA,
    Column("subject_type", String, primary_key=True),  # what was judged
    Column("subject_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True),  # 1, 2 ... in the order in which they were given
    Column("verdict", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("given_at", BigInteger, nullable=False),
    CheckConstraint("subject_type IN ('remedy', 'run', 'declined', 'outbox')", name="subject_known"),
    CheckConstraint("verdict IN ('endorsed', 'approved', 'rejected')", name="verdict_known"),
    CheckConstraint("actor <> '' AND reason <> ''", name="by_somebody_for_a_reason"),
)

BLOCKS: Final = Table(
    "blocks",
    METADATA,
    Column("order_line_id", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    CheckConstraint("kind IN ('dispute', 'chargeback', 'manual_refund', 'fraud')", name="kind_known"),
)

BREAKERS: Final = Table(
    "breakers",
    METADATA,
    Column("gateway", String, primary_key=True),
    Column("failures", Integer, nullable=False),  # calls in a row that brought no answer
    Column("open_until", BigInteger, nullable=False),  # nothing is asked of the gateway before this moment
)

SUPPRESSIONS: Final = Table(
    "suppressions",
    METADATA,
    Column("address_sha256", String(64), primary_key=True),  # keyed with this ledger's salt: no address stands here
    Column("reason", String, nullable=False),
    Column("since", BigInteger, nullable=False),
    CheckConstraint("reason IN ('bounce', 'complaint', 'request')", name="reason_known"),
)

FORGOTTEN: Final = Table(
    "forgotten",
    METADATA,
    Column("customer_id", String, primary_key=True),
    Column("forgotten_at", BigInteger, nullable=False),
)

SESSION_PRINTS: Final = Table(
    "session_prints",
    METADATA,
    Column("fingerprint", String(64), primary_key=True),  # of a flagged session's course, without ids and dates
    Column("session_id", String, primary_key=True),
    Column("customer_id", String),
    Column("first_seen", BigInteger, nullable=False),
)

CLAIMS: Final = Table(
    "claims",
    METADATA,
    Column("run_id", ForeignKey("runs.run_id"), primary_key=True),
    Column("order_line_id", String, primary_key=True, index=True),
    Column("evidence_sha256", String(64), primary_key=True),  # as beside the remedy that followed, if one did
    Column("gist_sha256", String(64), nullable=False),  # the same without what only grows older
    Column("customer_id", String, nullable=False, index=True),
    Column("audit_number", BigInteger, nullable=False),  # of the last row of the audit log before the decision
    Column("available", BigInteger),  # how many of the item could be sent then; null where nobody had counted
    Column("findings", JSON, nullable=False),  # whole, with their provenance
)

AUDIT: Final = Table(
    "audit",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # 1, 2 ... without a gap
    Column("at", BigInteger, nullable=False),
    Column("actor", String, nullable=False),
    Column("entity", String, nullable=False),  # the table, in the singular
    Column("entity_id", String, nullable=False),
    Column("before", String),
    Column("after", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("previous_sha256", String(64), nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    CheckConstraint("actor <> '' AND reason <> ''", name="by_somebody_for_a_reason"),
    Index("ix_audit_entity", "entity", "entity_id"),
)

APPEND_ONLY: Final = (AUDIT.name, "postings")
"""Tables of which no row is ever altered or removed; triggers see to that on both databases."""
