"""How often a customer was let down: the second failure goes up a tier, after the third a person writes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from remediation.durations import DAY_MS
from remediation.orders import OrderLine
from remediation.policy.case import Case
from remediation.policy.case import standing as carried_out
from remediation.policy.goods import Repeated
from remediation.remedy import Remedy

_OTHERS_BEFORE_A_LETTER: Final = 2

_Failure = tuple[str, ...]
_Moment = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Standing:
    """`raised`: it is at least the second failure within days; `letter`: at least the third within weeks."""

    raised: bool
    letter: bool


def standing(line: OrderLine, case: Case, decided: Sequence[Remedy], as_of: int, rules: Repeated) -> Standing:
    """How the failure of `line` stands among those of the customer that came before it.

    A failure is what had an approved remedy. The lines of one parcel are one
    failure, and so is everything on one order line, however often it is topped
    up. It happened when its first remedy was decided; of one night, in the order
    of order line ids, as they are decided. So it makes no difference whether
    failures come to light in one run or in several of the same night, and a
    top-up stands where its first remedy stood.

    Args:
      line: The order line that is decided now.
      case: All that is known of its customer.
      decided: The remedies that this run gave the customer before.
      as_of: The moment of the run, in milliseconds since the epoch.
      rules: Within how many days failures count together.
    """
    known = {each.order_line_id: each for each in (*case.earlier_lines, *(one for one, _ in case.lines))}
    own = _failure(line)
    first: dict[_Failure, _Moment] = {}
    for moment, remedy in _remedies(case, decided, as_of):
        failed = _failure(known[remedy.order_line_id]) if remedy.order_line_id in known else (remedy.order_line_id,)
        # What a person has not agreed to is no failure yet, but it fixes the place of its own line.
        if remedy.state != "held" or failed == own:
            at = (moment, remedy.order_line_id)
            first[failed] = min(first.get(failed, at), at)
    here = first.pop(own, (as_of, line.order_line_id))
    days = [(here[0] - moment[0]) / DAY_MS for moment in first.values() if moment < here]
    return Standing(
        raised=any(age <= rules.raise_within_days for age in days),
        letter=sum(age <= rules.letter_within_days for age in days) >= _OTHERS_BEFORE_A_LETTER,
    )


def _remedies(case: Case, decided: Sequence[Remedy], as_of: int) -> Iterable[tuple[int, Remedy]]:
    yield from ((entry.as_of, entry.remedy) for entry in carried_out(case.history))
    yield from ((as_of, remedy) for remedy in decided)


def _failure(line: OrderLine) -> _Failure:
    """What fails as one: a parcel, or what never became a parcel of one order; else the order line."""
    if line.kind != "goods":
        return (line.order_line_id,)
    return (line.order_id, line.tracking_number or "", "parcel")
