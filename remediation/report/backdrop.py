"""What a night is seen against: its own figures, what each guard reads of them, and the nights before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from sqlalchemy import Engine

from remediation.durations import DAY_MS
from remediation.guards.figures import Figures, from_json
from remediation.guards.history import Measure, Usual
from remediation.guards.judge import readings
from remediation.guards.reading import Reading
from remediation.guards.rules import GuardRules
from remediation.ledger.run import JudgedNight, judged_nights

SHOWN_NIGHTS: Final = 28
"""Four weeks: every day of the week four times."""

LEAST_NIGHTS: Final = 3
"""With fewer nights nothing is usual yet."""


@dataclass(frozen=True, slots=True)
class EarlierNight:
    """One night before tonight, 1 to `SHOWN_NIGHTS` ago; one that was held teaches nothing."""

    nights_ago: int
    released: bool
    figures: Figures


@dataclass(frozen=True, slots=True)
class Backdrop:
    """Everything beside the night itself; `earlier` is by date, the oldest first."""

    tonight: Figures
    readings: tuple[Reading, ...]
    earlier: tuple[EarlierNight, ...]

    def usual(self, measure: Measure) -> Usual | None:
        """The median of a figure over the released nights that are shown; null where too few of them have it."""
        known = [figure for night in self.earlier if night.released and (figure := measure(night.figures)) is not None]
        return Usual(median(known), len(known)) if len(known) >= LEAST_NIGHTS else None


def read_backdrop(engine: Engine, run_id: str, as_of: int, rules: GuardRules) -> Backdrop | None:
    """The backdrop as the ledger holds it; null where the run was never judged.

    Only nights up to `as_of` (milliseconds since the epoch) are looked at, and the
    clock is left out: the same night gives the same backdrop whenever it is asked for.
    """
    judged = judged_nights(engine, as_of, 2 * rules.history.long_nights)
    figures = {night.run_id: from_json(night.figures) for night in judged}
    tonight = figures.get(run_id)
    if tonight is None:
        return None
    others = [night for night in judged if night.run_id != run_id]
    released = [figures[night.run_id] for night in others if night.released]
    read = readings(tonight, released, rules, as_of)
    return Backdrop(
        tonight=tonight,
        readings=tuple(reading for reading in read if (reading.guard, reading.subject) != ("clock", "now")),
        earlier=_by_date(others, figures, as_of),
    )


def _by_date(nights: Sequence[JudgedNight], figures: dict[str, Figures], as_of: int) -> tuple[EarlierNight, ...]:
    """One night a date: of several the last, a released one before one that was held."""
    found: dict[int, EarlierNight] = {}
    for night in sorted(nights, key=lambda night: (night.released, night.as_of, night.run_id)):
        ago = (as_of - night.as_of + DAY_MS // 2) // DAY_MS
        if 1 <= ago <= SHOWN_NIGHTS:
            found[ago] = EarlierNight(ago, night.released, figures[night.run_id])
    return tuple(found[ago] for ago in sorted(found, reverse=True))
