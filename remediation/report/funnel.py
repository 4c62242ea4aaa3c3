"""From events to mails: what came into each stage, what went on, and what became of the rest, each loss by its name."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from remediation.ledger.run import RELEASED
from remediation.remedy import Declined
from remediation.report.charts.bars import Bar, bars
from remediation.report.charts.drawing import draw
from remediation.report.formats import listed, one_line, percent
from remediation.report.night import Night

_EARLIER: Final = "made good or decided in an earlier night"


@dataclass(frozen=True, slots=True)
class Loss:
    """So many that did not go on, and why."""

    why: str
    count: int


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage. What came in is what went on and the losses; `unit` is what is counted in it."""

    unit: str
    came: int
    verb: str
    went_on: int
    losses: tuple[Loss, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing vanished."""
        return self.came == self.went_on + sum(loss.count for loss in self.losses)


def funnel(night: Night) -> tuple[Stage, ...]:
    """The stages of a night in their order; a stage into which nothing came is left out."""
    counts = night.counts
    stages = (
        _stage("records", counts.records, "used", counts.used, _records(night)),
        _flagging("sessions", night.sessions, night.flagged_sessions),
        _flagging("order lines of goods", night.order_lines, night.flagged_order_lines),
        _findings(night),
        _remedies(night),
        _mails(night),
        *(() if night.run_state == RELEASED else (_sending(night),)),
    )
    return tuple(stage for stage in stages if stage.came)


def funnel_chart(stages: Iterable[Stage]) -> Markup:
    """The share of each stage that went on."""
    rows = [
        Bar(
            f"{stage.unit.capitalize()} {stage.verb}",
            stage.went_on / stage.came,
            f"{stage.went_on:,} of {stage.came:,}",
        )
        for stage in stages
    ]
    told = listed([f"{row.label.lower()} {row.text}" for row in rows])
    return draw("funnel", "From events to mails", f"What went on at each stage: {told}.", bars(rows, end=1))


def lost(stage: Stage) -> tuple[tuple[str, str, str], ...]:
    """The losses in words: why, how many, and which share of what came."""
    return tuple((loss.why, f"{loss.count:,}", percent(loss.count / stage.came)) for loss in stage.losses)


def _stage(unit: str, came: int, verb: str, went_on: int, losses: Mapping[str, int]) -> Stage:
    return Stage(unit, came, verb, went_on, tuple(Loss(why, count) for why, count in losses.items() if count))


def _records(night: Night) -> Mapping[str, int]:
    counts = night.counts
    accounted = counts.used + counts.duplicate + counts.rejected + counts.late
    return {
        "duplicate: it had come before": counts.duplicate,
        "rejected: it could not be read": counts.rejected,
        "late: its session was closed": counts.late,
        "lost, and nobody knows where": counts.records - accounted,
    }


def _flagging(unit: str, came: int, flagged: int) -> Stage:
    return _stage(unit, came, "flagged", flagged, {"within the standard": came - flagged})


def _findings(night: Night) -> Stage:
    """Each finding once: paid for, else with a person, else declined, else dealt with before."""
    paid = {finding_id for row in night.remedies for finding_id in row.remedy.finding_ids}
    losses: Counter[str] = Counter()
    seen = set(paid)
    for item in sorted(night.declined, key=_reviews_first):
        new = set(item.finding_ids) - seen
        seen |= new
        what = "to be looked at" if item.outcome == "review" else "declined"
        losses[f"{what}: {one_line(item.code).replace('_', ' ')}"] += len(new)
    came = sum(night.findings_by_kind.values())
    known = night.finding_ids & seen
    ranked = dict(sorted(losses.items(), key=lambda each: (-each[1], each[0])))
    return _stage(
        "findings", came, "answered by a remedy", len(night.finding_ids & paid), ranked | {_EARLIER: came - len(known)}
    )


def _reviews_first(item: Declined) -> tuple[bool, str, str]:
    return item.outcome != "review", item.code, item.declined_id


def _remedies(night: Night) -> Stage:
    approved = len(night.in_state("approved"))
    waits = {"held for a person": len(night.in_state("held")), "proposed": len(night.in_state("proposed"))}
    settled = {state: len(night.in_state(state)) for state in ("rejected", "withdrawn")}
    return _stage("remedies", len(night.remedies), "approved", approved, waits | settled)


def _mails(night: Night) -> Stage:
    approved = night.in_state("approved")
    silent = [row.remedy for row in approved if row.mail is None]
    letters = sum(any(action.kind == "letter" for action in remedy.actions) for remedy in silent)
    losses = {
        "a person writes a letter": letters,
        "no second mail about the same delay": len(silent) - letters,
    }
    return _stage("approved remedies", len(approved), "with a mail", len(approved) - len(silent), losses)


def _sending(night: Night) -> Stage:
    approved = len(night.in_state("approved"))
    return _stage("approved remedies", approved, "released", 0, {f"the run is {one_line(night.run_state)}": approved})
