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
from remediation.remedy import GOODS
from remediation.verifying.breach import Breach

PAGE_ROWS: Final = 1_000
_GROUPING: Final = "[.,'\u2019 \u00a0\u202f]?"
"""What may stand between two digits of a whole number, in whichever country."""
_GROUP: Final = 3
"""The last group of a whole number has three digits everywhere; in India the others have two."""
_POINT: Final = "[.,]"
_LATIN: Final = str.maketrans(
    {chr(zero + digit): str(digit) for zero in (0x660, 0x6F0) for digit in range(10)} | {"\u066b": ".", "\u066c": ","}
)
"""Arabic and Persian digits and separators, each as the Latin one."""

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
            ("html", row.html, single),
        ):
            missing = next((minor for minor in told if not says(text, minor, row.currency, page=place == "html")), None)
            if missing is not None:
                yield Breach("mails", row.remedy_id, f"its {place} does not name {missing} {row.currency} minor units")


def says(text: str, minor: int, currency: str, *, page: bool = False) -> bool:
    """Whether the amount stands in the text; on an HTML page, where a reader sees it and not in a style or a tag."""
    body = max(0, text.find("<body")) if page else 0
    found = _pattern(minor, DIGITS.get(currency, 0)).finditer(text.translate(_LATIN), body)
    return any(not page or text.rfind("<", body, each.start()) < text.rfind(">", body, each.start()) for each in found)


def _in_subject(actions: Actions) -> list[int]:
    """The one sum of money that a subject names: all that goes back, else a credit where nothing is sent."""
    refund = sum(_amount(action) for action in actions if action.get("kind") in REFUND_ACTIONS)
    if refund:
        return [refund]
    goods = any(action.get("kind") in GOODS for action in actions)
    credit = sum(map(_amount, actions))
    return [credit] if credit and not goods else []


def _amount(action: Mapping[str, object]) -> int:
    amount = action.get("amount_minor")
    return amount if isinstance(amount, int) else 0


@lru_cache(maxsize=4_096)
def _pattern(minor: int, decimals: int) -> re.Pattern[str]:
    digits = f"{minor:0{decimals + 1}d}"
    whole, fraction = (digits[:-decimals], digits[-decimals:]) if decimals else (digits, "")
    tail = _POINT + fraction if fraction else ""
    first = whole[0]
    others = "".join(
        (_GROUPING if len(whole) - place >= _GROUP else "") + whole[place] for place in range(1, len(whole))
    )
    # The digit stands before the look behind it, so that the search can leap from one such digit to the next.
    return re.compile(rf"{first}(?<!\d{first})(?<!\d[., ]{first}){others}{tail}(?![.,]?\d)")
