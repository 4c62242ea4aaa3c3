"""What a run found on an order line, whole, as it was decided on: from it, a decision can be made once more.

A finding in the ledger is brought up to date by later runs, and without the
provenance that `policy.trust` asks for. Here nothing is ever altered: a row is what
one decision rested on, and where the audit log ended when it was made.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, select

from detectors.finding import Finding
from remediation.canonical import sha256_of
from remediation.ledger.audit import head
from remediation.ledger.control_tables import CLAIMS
from remediation.ledger.forgotten import forgotten_among
from remediation.ledger.resolution import Basis, Resolution
from remediation.ledger.run import Run
from remediation.ledger.sql import Row, chunks, insert_new

_GROWS: Final = ("occurred_to", "severity")
_GROWS_IN_EVIDENCE: Final = "days_silent"
"""What passes by itself while a parcel stays away. How many days it is late does so, too, but money rests on that."""


def write_claims(connection: Connection, run: Run, resolutions: Iterable[Resolution], new: Collection[str]) -> int:
    """Writes down what was decided on, and returns how many rows that were.

    A remedy of the ids `new` always has its row. What led to nothing, or was
    declined, has one where the order line has none that says the same: a lost parcel
    is found again every night. Nothing is kept of who is forgotten. Must be called
    before anything of the same decisions enters the audit log.
    """
    judged = [(each, each.basis) for each in resolutions if each.basis is not None]
    rows = [
        (_row(run, each.findings, basis), each.remedy is not None and each.remedy.remedy_id in new)
        for each, basis in judged
    ]
    known = _known(connection, {str(row["order_line_id"]) for row, _ in rows})
    fresh = [row for row, is_new in rows if is_new or (row["order_line_id"], row["gist_sha256"]) not in known]
    if not fresh:
        return 0
    forgotten = forgotten_among(connection, {str(row["customer_id"]) for row in fresh})
    number = head(connection).number
    kept = [{**row, "audit_number": number} for row in fresh if row["customer_id"] not in forgotten]
    # Sorted, so that two writers meet their rows in the same order and cannot wait for each other.
    return insert_new(connection, CLAIMS, sorted(kept, key=lambda row: str(row["order_line_id"])))


def findings_of(content: object) -> tuple[Finding, ...]:
    """The findings of a row's `findings`, with their provenance.

    Raises:
      msgspec.ValidationError: Another program wrote something else.
    """
    return msgspec.convert(content, tuple[Finding, ...])


def _known(connection: Connection, order_line_ids: Collection[str]) -> set[tuple[str, str]]:
    line, gist = CLAIMS.c.order_line_id, CLAIMS.c.gist_sha256
    known: set[tuple[str, str]] = set()
    for keys in chunks(sorted(order_line_ids)):
        known.update((row[0], row[1]) for row in connection.execute(select(line, gist).where(line.in_(keys))))
    return known


def _row(run: Run, findings: Sequence[Finding], basis: Basis) -> Row:
    content = msgspec.to_builtins(sorted(findings, key=lambda each: (each.finding_id, each.occurred_from)))
    return {
        "run_id": run.run_id,
        "order_line_id": basis.order_line_id,
        "evidence_sha256": basis.evidence_sha256,
        "gist_sha256": sha256_of(sorted(sha256_of(_gist(each)) for each in content)),
        "customer_id": basis.customer_id,
        "available": basis.available,
        "findings": content,
    }


def _gist(content: Mapping[str, object]) -> Mapping[str, object]:
    """What a decision can rest on, without what only grows older, and without where it comes from."""
    kept = {name: value for name, value in content.items() if name not in (*_GROWS, "detector_version", "provenance")}
    evidence = msgspec.convert(content["evidence"], dict[str, object])
    return {**kept, "evidence": {name: value for name, value in evidence.items() if name != _GROWS_IN_EVIDENCE}}
