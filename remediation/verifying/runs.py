"""Runs: every record is accounted for, and the policy under which was decided is kept."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, select

from remediation.ledger.control_tables import AUDIT, POLICIES
from remediation.ledger.run import RELEASED
from remediation.ledger.tables import REMEDIES, RUNS
from remediation.policy.model import figures_sha256
from remediation.verifying.breach import Breach
from remediation.verifying.trail import is_older_than_the_log

_PARTS: Final = ("used", "duplicate", "rejected", "late", "open")
"""What becomes of a record; in a slice of a stream it may also stay open, or have been open before."""


def balanced(connection: Connection, _now: int) -> Iterator[Breach]:
    """Runs that lost records between reading and judging, or were released before their end and not by a person."""
    of_run = (AUDIT.c.entity == "run", AUDIT.c.entity_id == RUNS.c.run_id, AUDIT.c.after == RELEASED)
    by_person = select(AUDIT.c.number).where(*of_run, AUDIT.c.actor.startswith("person ")).exists()
    query = select(RUNS.c.run_id, RUNS.c.state, RUNS.c.counts, by_person.label("by_person")).order_by(RUNS.c.run_id)
    for row in connection.execute(query):
        parts = sum(row.counts.get(name, 0) for name in _PARTS)
        if row.counts.get("records", 0) != parts:
            told = f"{row.counts.get('records', 0)} records came in, and {parts} are accounted for"
            yield Breach("runs", row.run_id, told)
        elif row.state == RELEASED and not row.counts and not row.by_person:
            yield Breach("runs", row.run_id, "it is released, and has no counts, as if it had never come to its end")


def policies_kept(connection: Connection, _now: int) -> Iterator[Breach]:
    """Runs whose policy the ledger does not hold. Before there was an audit log, none was kept."""
    kept = select(POLICIES.c.policy_sha256).where(POLICIES.c.policy_sha256 == RUNS.c.policy_sha256)
    is_old = is_older_than_the_log("run", RUNS.c.run_id)
    for row in connection.execute(select(RUNS.c.run_id, RUNS.c.policy_sha256).where(~kept.exists(), ~is_old)):
        yield Breach("runs", row.run_id, f"its policy {row.policy_sha256} is not in the ledger")


def policies_whole(connection: Connection, _now: int) -> Iterator[Breach]:
    """Policies whose figures are not those that their digest names."""
    for row in connection.execute(select(POLICIES)):
        if figures_sha256(row.content) != row.policy_sha256:
            yield Breach("policies", row.policy_sha256, "its figures have another digest")


def one_policy(connection: Connection, _now: int) -> Iterator[Breach]:
    """Remedies that name another policy than the run that decided them."""
    query = (
        select(REMEDIES.c.remedy_id, REMEDIES.c.policy_sha256, RUNS.c.run_id)
        .join(RUNS, RUNS.c.run_id == REMEDIES.c.run_id)
        .where(RUNS.c.policy_sha256 != REMEDIES.c.policy_sha256)
    )
    for row in connection.execute(query):
        yield Breach("remedies", row.remedy_id, f"its policy {row.policy_sha256} is not that of its run {row.run_id}")
