"""Fingerprints of failed visits, kept so that a copy of one is known whenever it comes."""

from collections.abc import Iterable

from sqlalchemy import Engine

from detectors.finding import Finding
from remediation.database import writing
from remediation.ledger.control_tables import SESSION_PRINTS
from remediation.ledger.forgotten import forgotten_among
from remediation.ledger.sql import Row, insert_new
from remediation.policy.conduct import seen_at


def record_prints(engine: Engine, as_of: int, findings: Iterable[Finding]) -> int:
    """Records the fingerprints of the sessions that these findings are about, and returns how many were new.

    A session is seen when the last of its records was received: a copy can only
    come after what it copies. It keeps the moment at which it was seen first, so
    that the same night again changes nothing.

    Args:
      engine: The ledger.
      as_of: The moment of the run, in milliseconds since the epoch; it stands in where no record says when it was
        received.
      findings: Of any run; those of order lines have none.
    """
    rows: dict[tuple[str, str], Row] = {}
    for finding in findings:
        told = finding.provenance
        for fingerprint in told.fingerprints:
            rows[fingerprint, finding.subject.id] = {
                "fingerprint": fingerprint,
                "session_id": finding.subject.id,
                "customer_id": finding.customer_id,
                "first_seen": seen_at(finding, as_of),
            }
    if not rows:
        return 0
    with writing(engine) as connection:
        forgotten = forgotten_among(connection, {str(row["customer_id"]) for row in rows.values()})
        for key, row in rows.items():
            if row["customer_id"] in forgotten:
                rows[key] = {**row, "customer_id": None}
        # Sorted, so that two writers meet their rows in the same order and cannot wait for each other.
        return insert_new(connection, SESSION_PRINTS, [rows[key] for key in sorted(rows)])
