"""Records in one of the canonical formats, as JSON Lines."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import polars as pl

from detectors.telemetry.block import Block, Slot, count_slips, line_places, settle
from detectors.telemetry.checks import Checked, check
from detectors.telemetry.fields import Field
from detectors.telemetry.jsonlines import JsonLines, Objects
from detectors.telemetry.limits import Limits
from detectors.telemetry.lines import Lines
from detectors.telemetry.rejects import Tally


@dataclass(frozen=True, slots=True)
class Format:
    """A canonical format: what a record may hold, and what becomes of it.

    `verify` is given the columns as they were read and as they were judged, where
    records may be signed; `finish` adds what no record says by itself.
    """

    noun: str
    fields: tuple[Field, ...]
    slot: Slot
    finish: Callable[[Checked], Checked]
    verify: Callable[[pl.DataFrame, Checked], Checked] | None = None

    def judged(self, frame: pl.DataFrame, limits: Limits, *, plain: bool) -> Checked:
        """The columns as `check` judges them, verified and finished."""
        checked = check(frame, self.fields, limits, plain=plain)
        return self.finish(self.verify(frame, checked) if self.verify else checked)


class Records:
    """Decodes the portions of one file in one format.

    A record with a field of another name is used without that field; one with a
    known field of the wrong type or beyond its bounds is rejected, since a sender
    that misreports one figure cannot be trusted with the others.
    """

    continues: Final = False

    def __init__(self, form: Format, limits: Limits) -> None:
        self._format = form
        self._limits = limits
        self._reader = JsonLines(form.fields, limits)

    def tidy(self, lines: Lines, tally: Tally) -> Block | None:
        """As `decode`, of lines that are certainly such records all of them; null where some may be others."""
        objects = self._reader.tidy(lines)
        name = self._format.fields[0].name
        if objects is None or name not in objects.frame.columns or objects.frame[name].null_count():
            return None
        return self._block(objects, lines, tally)

    def decode(self, lines: Lines, tally: Tally) -> Block:
        """The rows of some lines and the rejects of the others; `tally` counts what was left out of records in use."""
        return self._block(self._reader.read(lines, tally), lines, tally)

    def _block(self, objects: Objects, lines: Lines, tally: Tally) -> Block:
        form = self._format
        place = line_places(lines, objects.rows)
        checked = form.judged(objects.frame, self._limits, plain=objects.plain)
        count_slips(checked, place, tally)
        return settle(checked, place, objects.rejects, form.slot)
