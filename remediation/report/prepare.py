"""From the records of a night to the words of its report."""

from collections.abc import Sequence
from typing import Final

from remediation.ledger.run import RELEASED
from remediation.report import glance, listings
from remediation.report.backdrop import Backdrop
from remediation.report.failures import breakdowns, kind_chart, kind_rows
from remediation.report.formats import counted, day, one_line
from remediation.report.funnel import Stage, funnel, funnel_chart, lost
from remediation.report.guarding import Guard, guard_chart, guard_rows, guards
from remediation.report.night import Night
from remediation.report.sources import source_rows
from remediation.report.text import balance, lede
from remediation.report.view import Entry, NightView, Notice, SourceRow, StageView

MOST_POINTS: Final = 5
"""Reasons that stand at the top of the page; all of them are among the guards."""


def prepare(night: Night, backdrop: Backdrop | None) -> NightView:
    """The view of a night before its backdrop; without one, nothing is compared."""
    stages, asked = funnel(night), guards(night, backdrop)
    sources = source_rows(backdrop) if backdrop else ()
    return NightView(
        heading=f"The night up to {day(night.as_of)}",
        lede=lede(night),
        notices=_notices(night),
        contents=_contents(night, asked, sources),
        cards=glance.cards(night, backdrop),
        money=glance.money_cards(night, backdrop),
        compared=_compared(backdrop),
        nights=glance.night_rows(backdrop) if backdrop and backdrop.earlier else (),
        balance=balance(night.counts),
        balanced=night.counts.balanced,
        funnel_chart=funnel_chart(stages) if stages else None,
        stages=tuple(map(_stage, stages)),
        kind_chart=kind_chart(night, backdrop),
        kinds=kind_rows(night, backdrop),
        breakdowns=breakdowns(night, backdrop.tonight) if backdrop else (),
        tickets=listings.tickets(night.tickets),
        guard_chart=guard_chart(asked),
        guards=guard_rows(asked),
        record_cards=glance.record_cards(night, backdrop),
        rejects=listings.rejects(night.rejects),
        sources=sources,
        held=listings.held(night),
        reviews=listings.declined(night.with_outcome("review")),
        made_good=listings.made_good(night),
        declined=listings.declined(night.with_outcome("declined")),
        inputs=listings.inputs(night.inputs),
        provenance=(
            ("Run", one_line(night.run_id)),
            ("Policy (SHA-256)", one_line(night.policy_sha256)),
            ("Detector version", one_line(night.detector_version)),
            ("Mails", one_line(night.mail_dir) if night.mail_dir else "kept in the ledger"),
        ),
    )


def _notices(night: Night) -> tuple[Notice, ...]:
    unbalanced = "The records do not add up. Release nothing of this night before the difference is explained."
    unchanged = "Nothing changed: this night was already recorded."
    kept = f"This run is {one_line(night.run_state)}: nothing of it is sent until a person releases it."
    passed = "The guards held this run, and a person has released it."
    held, points = night.run_state != RELEASED, _points(night)
    notices = (
        (Notice(unbalanced, serious=True), not night.counts.balanced),
        (Notice(kept, serious=True, points=points), held),
        (Notice(passed, serious=False, points=points), bool(points) and not held),
        (Notice(unchanged, serious=False), not night.new),
    )
    return tuple(notice for notice, applies in notices if applies)


def _points(night: Night) -> tuple[str, ...]:
    reasons = [one_line(objection.reason, limit=1_000) for objection in night.objections]
    more = len(reasons) - MOST_POINTS
    return (*reasons[:MOST_POINTS], *([f"{counted(more, 'more reason')} under Guards."] if more > 0 else []))


def _contents(night: Night, asked: Sequence[Guard], sources: Sequence[SourceRow]) -> tuple[Entry, ...]:
    held, reviews = len(night.in_state("held")), len(night.with_outcome("review"))
    holding = sum(guard.holds for guard in asked)
    waiting = held + reviews
    opened, absent = len(night.open_tickets), sum(row.wrong for row in sources)
    return (
        Entry("glance", "At a glance", ""),
        Entry("funnel", "From events to mails", ""),
        Entry("failed", "What failed", ""),
        Entry("causes", "Common causes", f"{opened:,} open" if opened else ""),
        Entry("guards", "Guards", f"{holding:,} {'holds' if holding == 1 else 'hold'} the night" if holding else ""),
        Entry("data", "Data quality", f"{counted(absent, 'source')} amiss" if absent else ""),
        Entry("waiting", "Waiting for a person", f"{waiting:,}" if waiting else ""),
        Entry("made-good", "Made good", ""),
        Entry("declined", "Declined", ""),
        Entry("sources", "What this night rests on", ""),
    )


def _compared(backdrop: Backdrop | None) -> str:
    if backdrop is None or not backdrop.earlier:
        return "There is no earlier night to compare with."
    released = sum(night.released for night in backdrop.earlier)
    return (
        f"Beside the {counted(len(backdrop.earlier), 'night')} of the last four weeks. The dashed line, and what is"
        f" usual, is the median of the {released:,} released ones; a hollow column is a night that was held."
    )


def _stage(stage: Stage) -> StageView:
    return StageView(stage.unit.capitalize(), f"{stage.came:,}", f"{stage.went_on:,} {stage.verb}", lost(stage))
