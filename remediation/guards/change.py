"""A night under another policy or other detectors than the last released one is a shadow until a person has looked."""

from collections.abc import Iterator
from statistics import median
from typing import Final

from remediation.guards.figures import Figures
from remediation.guards.history import History
from remediation.guards.payouts import amount_in
from remediation.guards.reading import GuardName, Reading, Said, read
from remediation.money import Money
from remediation.report.formats import amount, counted, one_line

COMPARED_NIGHTS: Final = 7

_SHOWN_DIGITS: Final = 8


def change_readings(tonight: Figures, history: History) -> Iterator[Reading]:
    """One reading for the policy and one for the detectors; the first night of all has changed nothing."""
    if not history.nights:
        return
    last, money = history.nights[-1], _difference(tonight, history)
    changed = last.policy_sha256 != tonight.policy_sha256
    names = f"policy {last.policy_sha256[:_SHOWN_DIGITS]}", f"policy {tonight.policy_sha256[:_SHOWN_DIGITS]}"
    yield _reading("policy", names, money, changed=changed)
    changed = last.detector_version != tonight.detector_version
    names = f"detectors {one_line(last.detector_version)}", f"detectors {one_line(tonight.detector_version)}"
    yield _reading("detector", names, money, changed=changed)


def _reading(guard: GuardName, names: tuple[str, str], money: str, *, changed: bool) -> Reading:
    before, now = names
    fact = (
        f"the last released night was judged by {before}, and this one by {now}; {money}"
        if changed
        else (f"this night was judged by {now}, as the last released one was")
    )
    said = Said(fact, "compare before it sends anything by itself")
    return read(guard, "", float(changed), 0, said, tripped=changed)


def _difference(tonight: Figures, history: History) -> str:
    """What was usual in each currency against what tonight comes to."""
    nights = history.nights[-COMPARED_NIGHTS:]
    currencies = sorted({paid.currency for night in (*nights, tonight) for paid in night.paid})
    compared = []
    for currency in currencies:
        amounts = [amount_in(currency)(night) or 0 for night in (*nights, tonight)]
        usual, now = (amount(Money(round(minor), currency)) for minor in (median(amounts[:-1]), amounts[-1]))
        compared.append(
            f"{now} would go out tonight, where {usual} is the median of the last {counted(len(nights), 'night')}"
        )
    return ", and ".join(compared) or "no money would go out tonight, as before"
