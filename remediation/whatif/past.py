"""Reading the past of a ledger: runs, claims and verdicts in the order of the audit log, and what stood before them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final, get_args

from msgspec import ValidationError
from sqlalchemy import ColumnElement, Connection, Engine, Row, func, or_, select

from detectors.finding import Finding
from remediation.book import Entry
from remediation.durations import DAY_MS
from remediation.guards.figures import from_json
from remediation.ledger.book import SqlBook, remedy_of
from remediation.ledger.claims import findings_of
from remediation.ledger.control_tables import AUDIT, CLAIMS, SPENDINGS
from remediation.ledger.forgotten import forgotten_among
from remediation.ledger.policies import policy_of
from remediation.ledger.run import GUARDS, RECORDING, Objection
from remediation.ledger.sql import chunks
from remediation.ledger.tables import CUSTOMERS, DECLINED, REMEDIES, REMEDY_FINDINGS, RUNS
from remediation.orders import Customer
from remediation.policy.decline import DecisionCode
from remediation.remedy import Declined, Remedy, RemedyState
from remediation.report.rows import declined_of
from remediation.verifying.snapshot import snapshot
from remediation.whatif.events import (
    Event,
    Judged,
    Kept,
    Past,
    PastClaim,
    PastRun,
    RemedyVerdict,
    RunVerdict,
    Start,
    Unit,
)
from remediation.whatif.older import Undocumented, older_claims

AnyRow = Row[*tuple[object, ...]]

_LONGEST_MONTH_MS: Final = 31 * DAY_MS
_KEPT_NIGHTS: Final = 366
"""The guards look back no farther, whatever the policy says."""


@dataclass(frozen=True, slots=True)
class _Log:
    """The rows of the audit log on runs and remedies, in its order, as far as a replay needs them."""

    births: Mapping[str, AnyRow]
    runs: Sequence[AnyRow]
    remedies: Sequence[AnyRow]


def read_past(engine: Engine, orders: Engine | None, days: int) -> Past:
    """The runs of the last `days` days before the newest run, and all that a replay of them needs.

    Args:
      engine: The ledger; it is only read.
      orders: The service's own order book, where the ledger's runs used that.
      days: Counted from the moment of the newest run.
    """
    book = SqlBook(engine, orders)
    with snapshot(engine) as connection:
        newest = connection.scalar(select(func.max(RUNS.c.as_of)))
        since = (newest or 0) - days * DAY_MS
        log = _log(connection, since)
        rows = connection.execute(select(RUNS).where(RUNS.c.as_of > since)).all()
        unlogged = _unlogged(rows, log)
        runs = {row.run_id: _run(connection, row) for row in rows if row.run_id not in unlogged}
        claims = _claims(connection, runs, log, book)
        events = _events(claims, runs, log)
        first = min((number for number, _, _ in events), default=0)
        lines = book.order_lines({claim.order_line_id for _, _, claim in claims})
        customers = {claim.customer_id for _, _, claim in claims}
        start = Start(
            lines=lines,
            customers={},
            entries=_entries(connection, customers, runs, log, first),
            spent=_spent(connection, unlogged, since),
            declined=_declined_before(connection, runs, lines),
            kept=_kept(connection, runs, log, since, first),
        )
    more = book.order_lines({entry.remedy.order_line_id for entry in start.entries}.difference(lines))
    start = replace(start, lines={**lines, **more}, customers=_zones(engine, orders, customers))
    return Past(runs, tuple(event for _, _, event in events), start, len(unlogged))


def _log(connection: Connection, since: int) -> _Log:
    columns = (AUDIT.c.number, AUDIT.c.at, AUDIT.c.actor, AUDIT.c.entity_id, AUDIT.c.before, AUDIT.c.after)
    of_remedies = select(*columns).where(AUDIT.c.entity == "remedy")
    recent = of_remedies.join(REMEDIES, REMEDIES.c.remedy_id == AUDIT.c.entity_id).join(RUNS)
    births = connection.execute(recent.where(AUDIT.c.before.is_(None), RUNS.c.as_of > since))
    verdicts = of_remedies.where(AUDIT.c.before.is_not(None)).order_by(AUDIT.c.number)
    of_runs = select(*columns).where(AUDIT.c.entity == "run").order_by(AUDIT.c.number)
    return _Log(
        {row.entity_id: row for row in births}, connection.execute(of_runs).all(), connection.execute(verdicts).all()
    )


def _unlogged(rows: Iterable[AnyRow], log: _Log) -> frozenset[str]:
    """Runs from before there was an audit log: in which order their remedies came, nobody can say."""
    known = {row.run_id for row in rows}
    return frozenset(row.entity_id for row in log.runs if row.before is None and row.entity_id in known)


def _run(connection: Connection, row: AnyRow) -> PastRun:
    policy = policy_of(connection, row.policy_sha256)
    return PastRun(
        run_id=row.run_id,
        as_of=row.as_of,
        kind=row.kind,
        policy_sha256=row.policy_sha256,
        policy=policy if policy.sha256 == row.policy_sha256 else None,
        figures=None if row.figures is None else from_json(row.figures),
        objections=tuple(Objection(**trip) for trip in row.trips or ()),
    )


_Placed = tuple[int, str, PastClaim]
"""After which row of the audit log it was decided, and in which run."""


def _claims(connection: Connection, runs: Mapping[str, PastRun], log: _Log, book: SqlBook) -> list[_Placed]:
    remedies = _remedies(connection, runs, log)
    declined = _declined(connection, runs)
    claims: list[_Placed] = []
    for keys in chunks(sorted(runs)):
        for row in connection.execute(select(CLAIMS).where(CLAIMS.c.run_id.in_(keys))):
            outcome: Remedy | Declined | None
            outcome = remedies.pop((row.run_id, row.order_line_id, row.evidence_sha256), None)
            outcome = outcome or declined.pop((row.run_id, row.order_line_id), None)
            claims.append((row.audit_number, row.run_id, _claim(row, outcome)))
    births = {remedy.remedy_id: log.births[remedy.remedy_id].number for remedy in remedies.values()}
    undocumented = [Undocumented(run, evidence, each) for (run, _, evidence), each in remedies.items()]
    judged = {row.entity_id: row.number for row in log.runs if row.before == RECORDING}
    return claims + older_claims(connection, book, undocumented, declined, births, judged)


def _claim(row: AnyRow, outcome: Remedy | Declined | None) -> PastClaim:
    try:
        findings: tuple[Finding, ...] = findings_of(row.findings)
    except ValidationError:  # by a program that knew other findings
        findings = ()
    return PastClaim(
        row.order_line_id, row.customer_id, 0, findings, is_whole=True, available=row.available, outcome=outcome
    )


def _remedies(connection: Connection, runs: Mapping[str, PastRun], log: _Log) -> dict[tuple[str, str, str], Remedy]:
    """The remedies of these runs as they were recorded, by run, order line and evidence."""
    found: dict[tuple[str, str, str], Remedy] = {}
    for keys in chunks(sorted(runs)):
        of_runs = REMEDIES.c.run_id.in_(keys)
        for row, finding_ids in _with_findings(connection, of_runs):
            born = log.births[row.remedy_id].after
            remedy = replace(remedy_of(row, finding_ids), state=born)
            found[row.run_id, row.order_line_id, row.evidence_sha256] = remedy
    return found


def _with_findings(connection: Connection, condition: ColumnElement[bool]) -> Iterator[tuple[AnyRow, list[str]]]:
    links = select(REMEDY_FINDINGS.c.remedy_id, REMEDY_FINDINGS.c.finding_id).join(REMEDIES).where(condition)
    of_remedy: dict[str, list[str]] = {}
    for link in connection.execute(links):
        of_remedy.setdefault(link.remedy_id, []).append(link.finding_id)
    for row in connection.execute(select(REMEDIES).where(condition)):
        yield row, of_remedy.get(row.remedy_id, [])


def _declined(connection: Connection, runs: Mapping[str, PastRun]) -> dict[tuple[str, str], Declined]:
    """What the policy of these runs declined, by run and order line."""
    codes = [str(code) for code in DecisionCode]
    found: dict[tuple[str, str], Declined] = {}
    for keys in chunks(sorted(runs)):
        query = select(DECLINED).where(DECLINED.c.run_id.in_(keys), DECLINED.c.code.in_(codes))
        found |= {(row.run_id, row.order_line_id): declined_of(row) for row in connection.execute(query)}
    return found


def _events(claims: Sequence[_Placed], runs: Mapping[str, PastRun], log: _Log) -> list[tuple[int, int, Event]]:
    """By the number of the log's row; what was decided after a row comes after it."""
    events: list[tuple[int, int, Event]] = []
    for (number, run_id), unit in groupby(sorted(claims, key=lambda each: each[:2]), key=lambda each: each[:2]):
        events.append((number, 1, Unit(run_id, tuple(claim for _, _, claim in unit))))
    first = min((number for number, _, _ in events), default=0)
    for row in log.runs:
        if row.entity_id in runs and row.before == RECORDING and row.actor == GUARDS:
            events.append((row.number, 0, Judged(row.entity_id, row.at, row.after)))
        elif row.before is not None and row.number > first:
            events.append((row.number, 0, RunVerdict(row.entity_id, row.after)))
    events += [
        (row.number, 0, RemedyVerdict(row.entity_id, _known(row.after))) for row in log.remedies if row.number > first
    ]
    return sorted(events, key=lambda each: each[:2])


def _entries(
    connection: Connection, customers: Iterable[str], runs: Mapping[str, PastRun], log: _Log, first: int
) -> tuple[Entry, ...]:
    """The remedies from before, in the state in which they then were."""
    then: dict[str, str] = {}
    for row in log.remedies:
        if row.number > first:
            then.setdefault(row.entity_id, row.before)
    entries: list[Entry] = []
    for keys in chunks(sorted(customers)):
        for row, finding_ids in _with_findings(connection, REMEDIES.c.customer_id.in_(keys)):
            if row.run_id not in runs:
                remedy = remedy_of(row, finding_ids)
                remedy = replace(remedy, state=then.get(row.remedy_id, row.state))
                entries.append(Entry(remedy, row.as_of, row.evidence_sha256))
    return tuple(sorted(entries, key=lambda each: (each.as_of, each.remedy.order_line_id, each.remedy.number)))


def _spent(connection: Connection, unlogged: Iterable[str], since: int) -> dict[str, int]:
    """What earlier runs took from the budgets of the days and months in which the others lie."""
    earlier = or_(RUNS.c.as_of <= since, RUNS.c.run_id.in_(sorted(unlogged)))
    query = (
        select(SPENDINGS.c.budget_id, func.sum(SPENDINGS.c.amount))
        .join(REMEDIES, REMEDIES.c.remedy_id == SPENDINGS.c.remedy_id)
        .join(RUNS, RUNS.c.run_id == REMEDIES.c.run_id)
        .where(REMEDIES.c.as_of > since - _LONGEST_MONTH_MS, earlier)
        .group_by(SPENDINGS.c.budget_id)
    )
    return {budget_id: int(spent) for budget_id, spent in connection.execute(query)}


def _declined_before(connection: Connection, runs: Mapping[str, PastRun], lines: Iterable[str]) -> frozenset[str]:
    found: set[str] = set()
    for keys in chunks(sorted(lines)):
        query = select(DECLINED.c.declined_id, DECLINED.c.run_id).where(DECLINED.c.order_line_id.in_(keys))
        found.update(row.declined_id for row in connection.execute(query) if row.run_id not in runs)
    return frozenset(found)


def _kept(connection: Connection, runs: Mapping[str, PastRun], log: _Log, since: int, first: int) -> tuple[Kept, ...]:
    """The figures of earlier runs, as far back as a guard may look."""
    states = {row.entity_id: row.after for row in log.runs if row.number < first}
    judged = select(RUNS).where(RUNS.c.figures.is_not(None), RUNS.c.as_of <= since)
    nights = judged.where(RUNS.c.kind == "night").order_by(RUNS.c.as_of.desc()).limit(_KEPT_NIGHTS)
    slices = judged.where(RUNS.c.kind == "stream", RUNS.c.as_of > since - _KEPT_NIGHTS * DAY_MS)
    rows = [row for query in (nights, slices) for row in connection.execute(query) if row.run_id not in runs]
    return tuple(
        Kept(row.run_id, row.kind, row.as_of, states.get(row.run_id, row.state), from_json(row.figures)) for row in rows
    )


def _zones(engine: Engine, orders: Engine | None, customer_ids: Iterable[str]) -> dict[str, Customer]:
    """The customers who are known, by their ids and zones alone: nothing else is asked for."""
    wanted = sorted(customer_ids)
    with engine.connect() as connection:
        forgotten = forgotten_among(connection, wanted)
    zones: dict[str, Customer] = {}
    with (orders or engine).connect() as connection:
        for keys in chunks(wanted):
            query = select(CUSTOMERS.c.customer_id, CUSTOMERS.c.timezone).where(CUSTOMERS.c.customer_id.in_(keys))
            zones |= {row.customer_id: Customer.model_construct(**row._asdict()) for row in connection.execute(query)}
    return {customer_id: zone for customer_id, zone in zones.items() if customer_id not in forgotten}


def _known(state: str) -> RemedyState:
    """A state of the audit log, which has none that is not one."""
    return next(known for known in get_args(RemedyState) if known == state)
