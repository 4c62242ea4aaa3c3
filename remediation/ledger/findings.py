"""Findings in the ledger: one row each, whose figures late data may refresh.

Of two versions of a finding the one of the later run stands; of two from the same
moment the more severe one. So the figures do not depend on the order in which
runs or bundles arrive, and the same night recorded again changes nothing. What a
remedy was decided on is kept beside the remedy.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, and_, or_

from detectors.finding import Finding
from remediation.canonical import sha256_of
from remediation.ledger.sql import Row, affected, insert
from remediation.ledger.tables import FINDINGS


def write_findings(connection: Connection, as_of: int, findings: Iterable[Finding]) -> int:
    """Writes new findings and refreshes known ones; returns how many rows it touched.

    `as_of` is that of the run which found them, in milliseconds since the epoch.
    """
    rows = [_row(as_of, finding) for finding in findings]
    if not rows:
        return 0
    statement = insert(connection, FINDINGS)
    new, old = statement.excluded, FINDINGS.c
    more_severe = or_(
        new.severity > old.severity,
        and_(new.severity == old.severity, new.figures_sha256 > old.figures_sha256),
    )
    upsert = statement.on_conflict_do_update(
        index_elements=[old.finding_id],
        set_={name: new[name] for name in FINDINGS.c.keys() if name != "finding_id"},  # noqa: SIM118 - no dict
        where=or_(new.as_of > old.as_of, and_(new.as_of == old.as_of, more_severe)),
    )
    # Sorted, so that two writers meet their rows in the same order and cannot wait for each other.
    return affected(connection, upsert, sorted(rows, key=lambda row: str(row["finding_id"])))


def _row(as_of: int, finding: Finding) -> Row:
    figures = {
        "kind": finding.kind,
        "subject_type": finding.subject.type,
        "subject_id": finding.subject.id,
        "customer_id": finding.customer_id,
        "content_id": finding.content_id,
        "order_line_id": finding.order_line_id,
        "severity": finding.severity,
        "occurred_from": finding.occurred_from,
        "occurred_to": finding.occurred_to,
        "evidence": dict(finding.evidence),
        "fault": finding.fault,
        "detector_version": finding.detector_version,
    }
    return {**figures, "finding_id": finding.finding_id, "as_of": as_of, "figures_sha256": sha256_of(figures)}
