"""What a stream writes to the ledger: findings at every tick, and at every slice's end the rest of a small night.

Everything of a tick is decided by one worker in one call: findings are few, and a
customer's limits hold across partitions. A tick or slice that an engine repeats
meets its own rows in the ledger and leaves them alone.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import polars as pl
from sqlalchemy import Engine

from detectors.finding import Finding
from detectors.incidents import FAILING, UNITS, Tally, merged
from detectors.schemas import DIMENSIONS, complete
from pipelines.batches import pack, unpack
from pipelines.causes import find_causes, tell_unplaced
from pipelines.judging import hold, judge_slice
from pipelines.nightly import COUNT_NAMES, night_of
from pipelines.parcels import judge_goods
from pipelines.remedies import write
from pipelines.resolving import Resolving
from pipelines.streaming.slices import Stream
from pipelines.streaming.turns import Turn
from pipelines.tallies import tally_outputs
from remediation.binding import bind
from remediation.ledger.book import SqlBook
from remediation.ledger.parcels import goods_chunks, read_mixups
from remediation.ledger.prints import record_prints
from remediation.ledger.run import Objection, finish_run, start_run
from remediation.report.night import Counts
from remediation.resolve import declined, resolve
from remediation.spans import span

OPEN: Final = "open"
"""Among the counts: records that wait now and did not before, or the other way round where it is negative."""

RESUME: Final = "resume_from"
"""Among the counts of a slice: what a stream must read again that starts after it, in ms since the epoch."""

VISITS: Final = pl.Schema(
    {"session_id": pl.String(), "started_at": pl.Int64(), "content_id": pl.String()}
    | dict.fromkeys(DIMENSIONS, pl.String())
)
"""What the guards ask of a session."""


Item = tuple[str, Any]
"""What a slice is made of, by kind: `graph.stream` names the kinds, `_Parts` takes them apart."""


class SettleFindings(Turn[tuple[str, tuple[Finding, ...]]]):
    """(name, findings) at each tick to the findings with their owners, decided and recorded together."""

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream, stream.ticks)

    def take(self, end: int, elements: Iterable[tuple[str, tuple[Finding, ...]]]) -> Iterator[tuple[Finding, ...]]:
        """A customer's limits hold over everything that was found at a tick."""
        findings = sorted((each for _, found in elements for each in found), key=lambda each: each.finding_id)
        yield settle(findings, self.ledger, self.book, self.stream.at(end - 1))


class EndSlice(Turn[Item]):
    """`Item`s to the tallies of parcels: the slice is recorded, judged, and released or held."""

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream, stream.slices)

    def take(self, end: int, elements: Iterable[Item]) -> Iterator[tuple[str, bytes]]:
        """Everything that closed in the slice has been written by then."""
        resolving = self.stream.at(end - 1)
        with span("slice", run_id=resolving.run.run_id, as_of=resolving.run.as_of):
            yield from self._end(end, _Parts.of(elements), resolving)

    def _end(self, end: int, parts: "_Parts", resolving: Resolving) -> Iterator[tuple[str, bytes]]:
        promises, missing, tally = self._parcels(resolving)
        findings = (*parts.findings, *settle(missing, self.ledger, self.book, resolving))
        tell_unplaced(self.ledger, resolving)
        rows = {each.name: parts.counts["records"] for each in resolving.run.inputs if each.role == "telemetry"}
        resume = {RESUME: resume_from(end, parts.waiting, self.stream.patience.lateness_ms)}
        finish_run(self.ledger, resolving.run.run_id, _summary(parts, findings) | resume, rows)
        self._demand_balance(parts.counts, resolving)
        counts = Counts(**{name: parts.counts[name] for name in COUNT_NAMES})
        night = night_of(self.ledger, resolving.run, counts, parts.visits, findings, rows, promises)
        judge_slice(self.ledger, resolving, night, parts.visits, merged([parts.tally, tally]), end)
        yield from _packed(f"goods-{end}", tally)

    def _demand_balance(self, counts: Mapping[str, int], resolving: Resolving) -> None:
        """Holds a slice in which records vanished: they may have been anybody's."""
        if counts["records"] != sum(counts[name] for name in (*COUNT_NAMES[1:], OPEN)):
            problem = f"{counts['records']} records came in, but {dict(counts)} do not add up to them."
            hold(self.ledger, resolving.run, Objection("balance", problem))

    def _parcels(self, resolving: Resolving) -> tuple[int, list[Finding], Tally]:
        """Every promise, scanned or not, as a night judges it: how many, what was found, and the tally."""
        as_of = resolving.run.as_of
        mixups = read_mixups(self.ledger, self.orders, as_of)
        judged = [
            judge_goods(self.ledger, self.orders, bounds, mixups, resolving)
            for bounds in goods_chunks(self.orders, as_of)
        ]
        found = [finding for each in judged for finding in each.found]
        return sum(each.order_lines for each in judged), found, merged([_NO_TALLY, *(each.tally for each in judged)])


class FindCauses(Turn[tuple[str, bytes]]):
    """Packed tallies to the tickets that they open or bring up to date in the ledger."""

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream, stream.wide)

    def take(self, end: int, elements: Iterable[tuple[str, bytes]]) -> Iterator[int]:
        """A cause is what many failures of some time have in common."""
        resolving = self.stream.at(end - 1)
        start_run(self.ledger, resolving.run)
        yield len(find_causes(self.ledger, resolving, _tally(elements)))


def settle(findings: Sequence[Finding], ledger: Engine, book: SqlBook, resolving: Resolving) -> tuple[Finding, ...]:
    """Findings to rows of the ledger, as a night does it in several steps; gives them with their owners. Idempotent."""
    start_run(ledger, resolving.run)
    as_of = resolving.run.as_of
    bound = bind(findings, book, as_of)
    record_prints(ledger, as_of, findings)
    resolutions = resolve(bound.findings, book, resolving.policy, as_of, resolving.holdout)
    write((*declined(findings, bound.declined), *resolutions), ledger, book, resolving)
    return tuple({finding.finding_id: finding for finding in (*findings, *bound.findings)}.values())


_NO_TALLY: Final = Tally(UNITS.to_frame(), FAILING.to_frame())


@dataclass
class _Parts:
    """The items of a slice by kind."""

    counts: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    visits: pl.DataFrame = field(default_factory=VISITS.to_frame)
    tally: Tally = _NO_TALLY
    waiting: list[tuple[int, int]] = field(default_factory=list)

    @classmethod
    def of(cls, items: Iterable[Item]) -> "_Parts":
        parts = cls()
        visits: list[bytes] = []
        tallies: list[tuple[str, bytes]] = []
        for kind, content in items:
            if kind == "counts":
                parts.counts.update(content)
            elif kind == "parcels":
                parts.counts[content[0]] += content[1]
            elif kind == "open":
                parts.waiting.append(content)
            elif kind == "findings":
                parts.findings += content
            elif kind == "visits":
                visits.append(content)
            elif kind == "tally":
                tallies.append(content)
        parts.visits = complete(unpack(visits, VISITS), VISITS)
        parts.tally = _tally(tallies)
        return parts


def resume_from(end: int, waiting: Iterable[tuple[int, int]], lateness_ms: int) -> int:
    """The oldest stream time that anything undecided at the end of a slice can rest on.

    `waiting` are (tick, oldest record that waits) of the partitions, each of which
    tells it at the end of the slice. What had not been read by then was younger
    than the end less the lateness, or it is late.
    """
    return min([end - lateness_ms, *(oldest for tick, oldest in waiting if tick == end)])


def visits(named: tuple[str, bytes]) -> bytes:
    """(name, packed sessions) to what the guards ask of them."""
    _, payload = named
    return pack(complete(unpack([payload]), VISITS))


def _tally(packed: Iterable[tuple[str, bytes]]) -> Tally:
    """The sum of tallies as `tally_outputs` packs them."""
    tallies = [_NO_TALLY]
    for name, payload in packed:
        is_units = name.startswith("units-")
        frame = complete(unpack([payload]), UNITS if is_units else FAILING)
        tallies.append(Tally(frame, _NO_TALLY.failing) if is_units else Tally(_NO_TALLY.units, frame))
    return merged(tallies)


def _packed(name: str, tally: Tally) -> Iterator[tuple[str, bytes]]:
    return (cast("tuple[str, bytes]", each.value) for each in tally_outputs(name, tally))


def _summary(parts: _Parts, findings: Iterable[Finding]) -> dict[str, int]:
    """The counts of a run as the ledger keeps them."""
    kinds = Counter(f"findings_{finding.kind}" for finding in findings)
    sessions = {"sessions": parts.visits.height}
    return {name: parts.counts[name] for name in (*COUNT_NAMES, OPEN)} | sessions | dict(sorted(kinds.items()))
