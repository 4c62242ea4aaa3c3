"""Mails say the ledger's amounts: what the customer reads is what was decided."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection, select

from remediation.ledger.resolution import REFUND_ACTIONS
from remediation.ledger.tables import MAILS, REMEDIES
from remediation.mail import ERASED
from remediation.money import DIGITS
from remediation.verifying.breach import Breach

PAGE_ROWS: Final = 1_000
_GROUPING: Final = "[.,'\u2019 \u00a0\u202f]?"
"""What may stand between two digits of a whole number, in whichever country."""
_POINT: Final = "[.,]"

Actions = Sequence[Mapping[str, object]]


def amounts(connection: Connection, _now: int) -> Iterator[Breach]:
    """Mails that do not name the amounts of their remedy.

    What stands there is compared digit by digit, with as many decimals as the
    currency has, whatever separates them: how a country writes amounts is the
    reader's, and the ledger does not keep which one that was.
    """
    query = select(MAILS, REMEDIES.c.actions, REMEDIES.c.currency).join(REMEDIES).where(MAILS.c.text != ERASED)
    for row in connection.execute(query.execution_options(yield_per=PAGE_ROWS)):
        single = [amount for amount in map(_amount, row.actions) if amount]
        for place, text, told in (
            ("subject", row.subject, _in_subject(row.actions)),
            ("text", row.text, single),
            ("html", _visible(row.html), single),
        ):
            missing = next((minor for minor in told if not _says(text, minor, row.currency)), None)
            if missing is not None:
                yield Breach("mails", row.remedy_id, f"its {place} does not name {missing} {row.currency} minor units")


def _in_subject(actions: Actions) -> list[int]:
    """The one sum of money that a subject names: all that goes back, else a credit where nothing is sent."""
    refund = sum(_amount(action) for action in actions if action["kind"] in REFUND_ACTIONS)
    if refund:
        return [refund]
    goods = any(action["kind"] in {"replacement", "exchange"} for action in actions)
    credit = sum(map(_amount, actions))
    return [credit] if credit and not goods else []


def _amount(action: Mapping[str, object]) -> int:
    amount = action["amount_minor"]
    return amount if isinstance(amount, int) else 0


def _says(text: str, minor: int, currency: str) -> bool:
    return _pattern(minor, DIGITS.get(currency, 0)).search(text) is not None


@lru_cache(maxsize=4_096)
def _pattern(minor: int, decimals: int) -> re.Pattern[str]:
    digits = f"{minor:0{decimals + 1}d}"
    whole, fraction = (digits[:-decimals], digits[-decimals:]) if decimals else (digits, "")
    tail = _POINT + fraction if fraction else ""
    return re.compile(rf"(?<!\d)(?<!\d[., ]){_GROUPING.join(whole)}{tail}(?![.,]?\d)")


def _visible(html: str) -> str:
    """What a reader sees of a page; figures of its style are not amounts."""
    return re.sub(r"<[^>]*>", "", html[html.find("<body") :])
