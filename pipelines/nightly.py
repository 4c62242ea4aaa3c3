"""One night from settings to `Night`: what is missing stops it before anything is written."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import polars as pl
from sqlalchemy import Engine

from detectors.finding import Finding
from detectors.schemas import REJECTS, SESSIONS, complete
from pipelines import graph
from pipelines.beginning import Begun, Tell, begin_night, prepare, silently
from pipelines.causes import find_causes, tell_unplaced
from pipelines.engine import planned, run
from pipelines.inputs import read_keys, read_policy
from pipelines.judging import hold, judge
from pipelines.parcels import ORDER_LINES
from pipelines.parts import Parts
from pipelines.remedies import RECORDED
from pipelines.sessions import ROWS
from pipelines.settings import NightSettings
from pipelines.sources import Source, find, total_bytes
from pipelines.tallies import whole_tally
from remediation.database import open_database
from remediation.ledger.run import Objection, Run, finish_run
from remediation.locks import BusyError, IsHeld, Right, held
from remediation.report.backdrop import Backdrop, read_backdrop
from remediation.report.night import Counts, Night, RejectRow
from remediation.report.recorded import recorded_declined, recorded_remedies
from remediation.spans import span

_LOG: Final = logging.getLogger(__name__)
COUNT_NAMES: Final = ("records", "used", "duplicate", "rejected", "late")


NIGHTS: Final = Right(
    "night", 0x6E696768, "another night is running on this ledger", "let it finish, then run this one again"
)
"""Each night is judged by the nights before it, and decides by what they owe: so they come one after another."""


class UnbalancedError(Exception):
    """Records were lost between reading and assessing: nothing that rests on this run may be trusted."""


@dataclass(frozen=True, slots=True)
class Table:
    """The session table with what was not used."""

    sessions: pl.DataFrame
    rejects: tuple[RejectRow, ...]
    counts: Counts
    rows_by_source: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Result:
    """A night, its whole session table, all its findings, and what it is seen against in the report."""

    night: Night
    table: Table
    findings: tuple[Finding, ...]
    backdrop: Backdrop | None = None


def run_sessions(
    telemetry: Sequence[str], policy_path: str | None = None, tell: Tell = silently, beacon_keys: str | None = None
) -> Table:
    """Only the session table; `tell` hears what is being done.

    Raises:
      SourceError: A source is missing or unreadable.
      PolicyError: The policy file is none.
      KeyRingError: The file of beacon keys is none.
      UnbalancedError: Records were lost.
    """
    policy, _ = read_policy(policy_path)
    keys, _ = read_keys(beacon_keys)
    sources = find(telemetry)
    tell(_reading(sources))
    with planned(sources, ()) as plan:
        run(partial(graph.account, sources=sources, rules=policy.playback, plan=plan, keys=keys), ())
        table = _table(Parts(plan.parts_folder), sources)
    _demand_balance(table)
    return table


def run_night(settings: NightSettings, tell: Tell = silently) -> Result:
    """Finds, decides and records one night; sends nothing. `tell` hears what is being done.

    The same night again writes nothing: `Night.new` is false then.

    Raises:
      SourceError: A source is missing or unreadable.
      PolicyError: The policy file is none.
      KeyRingError: The file of beacon keys is none.
      DatabaseUnusableError: The ledger or the order book cannot be opened.
      BusyError: Another night is running on this ledger.
      UnbalancedError: Records were lost.
    """
    prepared = prepare(settings)
    engine = open_database(settings.ledger_url)
    with held(engine, NIGHTS) as is_held, span("night"):
        result = settle_night(begin_night(prepared, engine, tell), engine, is_held, tell)
    engine.dispose()
    return result


def settle_night(begun: Begun, engine: Engine, is_held: IsHeld, tell: Tell = silently) -> Result:
    """Finds, decides and records a night that has begun; raises as `run_night`."""
    settings, sources, resolving = begun.prepared.settings, begun.prepared.sources, begun.resolving
    this_run = resolving.run
    tell(_reading(sources))
    with span("find and decide", run_id=this_run.run_id), planned(sources, settings.beam_options) as plan:
        run(partial(graph.night, sources=sources, resolving=resolving, plan=plan), settings.beam_options)
        parts = Parts(plan.parts_folder)
        table, findings, tally = _table(parts, sources), tuple(parts.findings()), whole_tally(parts)
        results = parts.counts()
    _demand_balance(table, engine, this_run)
    tell("looking for common causes")
    with span("find causes", run_id=this_run.run_id):
        unplaced = tell_unplaced(engine, resolving)
        tickets = find_causes(engine, resolving, tally)
    lines = results.get(ORDER_LINES, 0)
    night = night_of(engine, this_run, table.counts, table.sessions, findings, table.rows_by_source, lines)
    result = Result(
        replace(
            night,
            new=begun.is_new or results.get(RECORDED, 0) > 0,
            rejects=(*table.rejects, *begun.rejects, *unplaced),
            tickets=tickets,
        ),
        table,
        findings,
    )
    summary = _summary(result)
    finish_run(engine, this_run.run_id, summary, table.rows_by_source)
    found = {"findings": len(findings), "remedies": len(night.remedies)}
    _LOG.info("night recorded", extra={"run_id": this_run.run_id, **summary, **found})
    if not is_held():
        raise BusyError("the ledger's server was away, and another night may have begun: run this one again")
    tell("asking the guards")
    with span("judge", run_id=this_run.run_id) as judging:
        stands = judge(engine, resolving, result.night, table.sessions, tally, settings.made_at)
        judging.note(state=stands.state)
    night = replace(result.night, run_state=stands.state, objections=stands.objections)
    guards = resolving.policy.guards
    backdrop = read_backdrop(engine, this_run.run_id, this_run.as_of, guards) if settings.out else None
    return replace(result, night=night, backdrop=backdrop)


def _reading(sources: Sequence[Source]) -> str:
    return f"reading {len(sources)} telemetry files, {total_bytes(sources) / 1e6:,.1f} MB"


def night_of(  # noqa: PLR0913, PLR0917 - a night is nothing less
    engine: Engine,
    this_run: Run,
    counts: Counts,
    sessions: pl.DataFrame,
    findings: Sequence[Finding],
    rows_by_source: Mapping[str, int],
    order_lines: int = 0,
) -> Night:
    """The night as the ledger holds it: the same after the first run and after every rerun."""
    kinds = Counter(str(finding.kind) for finding in findings)
    flagged = Counter(subject.type for subject in {finding.subject for finding in findings})
    return Night(
        run_id=this_run.run_id,
        as_of=this_run.as_of,
        policy_sha256=this_run.policy_sha256,
        detector_version=this_run.detector_version,
        new=False,
        counts=counts,
        sessions=sessions.height,
        flagged_sessions=flagged["session"],
        flagged_order_lines=flagged["order_line"],
        findings_by_kind=dict(kinds),
        finding_ids=frozenset(finding.finding_id for finding in findings),
        remedies=recorded_remedies(engine, this_run.run_id),
        declined=recorded_declined(engine, this_run.run_id),
        rejects=(),
        inputs=tuple(replace(item, rows=rows_by_source.get(item.name, item.rows)) for item in this_run.inputs),
        order_lines=order_lines,
    )


def _demand_balance(table: Table, engine: Engine | None = None, this_run: Run | None = None) -> None:
    """Records that vanished may have been anybody's: nothing that rests on the rest may be sent."""
    if table.counts.balanced:
        return
    problem = f"{table.counts.records} records came in, but {table.counts} do not add up to them"
    if engine and this_run:
        hold(engine, this_run, Objection("balance", f"{problem}."))
    raise UnbalancedError(f"{problem}; nothing of this run is sent: report this as a defect")


def _table(parts: Parts, sources: Sequence[Source]) -> Table:
    counts = parts.counts()
    return Table(
        sessions=_sessions(parts),
        rejects=_rejects(parts),
        counts=Counts(**{name: counts.get(name, 0) for name in COUNT_NAMES}),
        rows_by_source={source.path: counts.get(f"{ROWS}-{source.number}", 0) for source in sources},
    )


def _sessions(parts: Parts) -> pl.DataFrame:
    """One table, in an order that does not depend on how the work was split."""
    frames = [complete(frame, SESSIONS) for frame in parts.frames("sessions")]
    return pl.concat([pl.DataFrame(schema=SESSIONS), *frames]).sort("session_id", "started_at")


def _rejects(parts: Parts) -> tuple[RejectRow, ...]:
    """Fields that were left out are counted over a whole source, whatever its blocks."""
    frame = pl.concat([pl.DataFrame(schema=REJECTS), *(complete(part, REJECTS) for part in parts.frames("rejects"))])
    fields = (
        frame.filter(pl.col("scope") == "field")
        .group_by("source", "scope", "code", "field", "reason")
        .agg(pl.col("line").min(), pl.col("offset").min(), pl.col("count").sum())
        .select(REJECTS.names())
    )
    whole = pl.concat([frame.filter(pl.col("scope") != "field"), fields])
    return tuple(RejectRow(**row) for row in whole.sort("source", "offset", "line", "code", "field").to_dicts())


def _summary(result: Result) -> Mapping[str, int]:
    """The counts of a run as the ledger keeps them."""
    counts = {name: getattr(result.table.counts, name) for name in COUNT_NAMES}
    kinds = {f"findings_{kind}": count for kind, count in sorted(result.night.findings_by_kind.items())}
    return counts | {"sessions": result.night.sessions} | kinds
