"""Rejects of one file, in bounded numbers: rubbish must not fill the memory with reasons why it is rubbish."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from detectors.telemetry.containers import DamagedError
from detectors.telemetry.limits import Limits
from detectors.telemetry.rejects import Code, Reject


@dataclass(slots=True)
class Listing:
    """Names the first bad records of a file one by one and counts the later ones together, block by block."""

    limits: Limits
    _records: int = 0
    _rejected: int = 0

    def of_block(self, rejects: Iterable[Reject], records: int) -> tuple[Reject, ...]:
        """The rejects of the next block, which was made of so many records; their counts sum as before."""
        given = tuple(rejects)
        room = max(self.limits.listed_rejects - self._rejected, 0)
        self._records += records
        self._rejected += sum(reject.count for reject in given)
        return given if len(given) <= room else (*given[:room], *_together(given[room:]))

    def demand_use(self) -> None:
        """Goes on as long as the file is of use.

        Raises:
          DamagedError: Nearly all of a great many records were rejected.
        """
        limits = self.limits
        if self._rejected > max(limits.rejected_floor_records, limits.rejected_ratio * self._records):
            raise DamagedError(
                Code.MOSTLY_REJECTED,
                f"More than {limits.rejected_ratio:.0%} of a great many records could not be used: "
                "the rest of the file was not read.",
            )


def _together(rejects: Iterable[Reject]) -> Iterator[Reject]:
    """One reject a code, a field and a reason, at the place of the first."""

    def kind(reject: Reject) -> tuple[str, str, str, str]:
        return reject.scope, reject.code, reject.name or "", reject.reason

    for _, alike in groupby(sorted(rejects, key=kind), key=kind):
        first, *others = alike
        yield replace(first, count=first.count + sum(other.count for other in others))
