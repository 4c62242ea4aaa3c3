"""The night at a glance: each figure beside the nights before, as a card with its chart, and all of them as a table."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from remediation.durations import DAY_MS
from remediation.guards.figures import Figures, Judged
from remediation.guards.history import Measure
from remediation.guards.payouts import amount_in
from remediation.money import Money
from remediation.report.backdrop import SHOWN_NIGHTS, Backdrop
from remediation.report.charts.columns import Column, Scale, columns
from remediation.report.charts.drawing import draw
from remediation.report.formats import amount, amounts, counted, percent, short_date
from remediation.report.night import Night
from remediation.report.view import Card, NightRow

MOST_CURRENCIES: Final = 6
"""So many have a card of their own; the table names all."""


@dataclass(frozen=True, slots=True)
class _Watched:
    """A figure that is followed from night to night."""

    key: str
    label: str
    measure: Measure
    spell: Callable[[float], str]
    tonight: float | None
    notes: tuple[str, ...] = ()
    value: str | None = None


def cards(night: Night, backdrop: Backdrop | None) -> tuple[Card, ...]:
    """Customers, sessions and order lines: tonight's figure, what is usual, and a chart where there are nights."""
    watched = (
        _Watched("customers", "Customers helped", lambda each: each.customers, _whole, night.customers_helped),
        _flagged("sessions", "Sessions flagged", lambda each: each.sessions, night.flagged_sessions, night.sessions),
        _flagged(
            "lines", "Order lines flagged", lambda each: each.order_lines, night.flagged_order_lines, night.order_lines
        ),
    )
    return tuple(_card(each, night, backdrop) for each in watched)


def money_cards(night: Night, backdrop: Backdrop | None) -> tuple[Card, ...]:
    """Likewise, of the money of each currency, and of what is held."""
    held = night.in_state("held")
    money = amounts(night.totals("held")) if night.totals("held") else ""
    waits = _Watched("held", "Remedies held for a person", _held, _whole, len(held), (money,) if money else ())
    return tuple(_card(each, night, backdrop) for each in (*_money(night, backdrop), waits))


def record_cards(night: Night, backdrop: Backdrop | None) -> tuple[Card, ...]:
    """Likewise, of what became of the records that were not used."""
    counts = night.counts
    watched = (
        _of_records("rejected", "Records rejected", lambda each: each.rejected, counts.rejected, counts.records),
        _of_records("late", "Records late", lambda each: each.late, counts.late, counts.records),
        _of_records("duplicate", "Records sent twice", lambda each: each.duplicate, counts.duplicate, counts.records),
    )
    return tuple(_card(each, night, backdrop) for each in watched)


def night_rows(backdrop: Backdrop) -> tuple[NightRow, ...]:
    """The same figures as a table, the latest night first."""
    return tuple(
        NightRow(
            when=short_date(figures.as_of, year=True),
            state="tonight" if state is None else "released" if state else "held",
            paid=amounts(tuple(Money(paid.amount_minor, paid.currency) for paid in figures.paid if paid.amount_minor)),
            customers=f"{figures.customers:,}",
            held=f"{_held(figures):,.0f}",
            sessions=_share(figures.sessions),
            order_lines=_share(figures.order_lines),
            rejected=f"{figures.rejected:,}",
            late=f"{figures.late:,}",
        )
        for state, figures in (
            (None, backdrop.tonight),
            *((night.released, night.figures) for night in reversed(backdrop.earlier)),
        )
    )


def _money(night: Night, backdrop: Backdrop | None) -> list[_Watched]:
    """A card a currency, those with the most refunds first: amounts of two are never compared."""
    tonight = {money.currency: money.minor for money in night.totals("approved")}
    earlier = [figures for each in backdrop.earlier for figures in each.figures.paid] if backdrop else []
    refunds = Counter(row.remedy.currency for row in night.in_state("approved") if row.remedy.amount)
    for paid in earlier:
        refunds[paid.currency] += paid.refunds
    ranked = sorted(refunds, key=lambda currency: (-refunds[currency], currency))
    found = [
        _Watched(
            f"paid-{currency.lower()}",
            "To be paid" if len(ranked) == 1 else f"To be paid in {currency}",
            amount_in(currency),
            _spelled(currency),
            tonight.get(currency, 0),
        )
        for currency in ranked[:MOST_CURRENCIES]
    ]
    return found or [_Watched("paid", "To be paid", lambda _: None, lambda _: "nothing", 0)]


def _spelled(currency: str) -> Callable[[float], str]:
    return lambda minor: amount(Money(round(minor), currency))


def _flagged(key: str, label: str, judged: Callable[[Figures], Judged], flagged: int, units: int) -> _Watched:
    share = flagged / units if units else None
    none = None if units else "none came"
    notes = (f"{flagged:,} of {units:,}",) if units else ()
    return _Watched(key, label, lambda each: judged(each).rate, percent, share, notes, none)


def _of_records(key: str, label: str, part: Callable[[Figures], int], count: int, records: int) -> _Watched:
    share = count / records if records else None
    notes = (f"{count:,} of {records:,}",) if records else ()
    none = None if records else "none came"
    return _Watched(
        key, label, lambda each: part(each) / each.records if each.records else None, percent, share, notes, none
    )


def _card(watched: _Watched, night: Night, backdrop: Backdrop | None) -> Card:
    usual = backdrop.usual(watched.measure) if backdrop else None
    notes = (*watched.notes, *([f"usually {watched.spell(usual.value)}"] if usual else []))
    value = watched.value or watched.spell(watched.tonight or 0)
    chart = _chart(watched, night, backdrop, usual.value if usual else None) if backdrop else None
    return Card(watched.label, value, "; ".join(notes), chart)


def _chart(watched: _Watched, night: Night, backdrop: Backdrop, usual: float | None) -> Markup | None:
    nights = [
        Column(each.nights_ago, value, held=not each.released)
        for each in backdrop.earlier
        if (value := watched.measure(each.figures)) is not None
    ]
    if not any(each.value for each in nights):
        return None
    tonight = [] if watched.tonight is None else [Column(0, watched.tonight)]
    end = _round_up(max(each.value for each in (*nights, *tonight)))
    first = short_date(night.as_of - SHOWN_NIGHTS * DAY_MS)
    scale = Scale(end, watched.spell(end), usual, first, short_date(night.as_of))
    return draw(
        f"night-{watched.key}",
        f"{watched.label}, night by night",
        _told(watched, nights, usual),
        columns([*nights, *tonight], SHOWN_NIGHTS, scale),
    )


def _told(watched: _Watched, nights: Sequence[Column], usual: float | None) -> str:
    low, high = (watched.spell(end(each.value for each in nights)) for end in (min, max))
    known = "" if usual is None else f", with a median of {watched.spell(usual)}"
    tonight = watched.value or watched.spell(watched.tonight or 0)
    earlier = counted(len(nights), "earlier night")
    return f"Tonight {tonight}; the {earlier} lie between {low} and {high}{known}. The table below has every figure."


def _round_up(value: float) -> float:
    """The next of 1, 2 or 5 times a power of ten, where a scale may end."""
    power = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9))


def _held(figures: Figures) -> float:
    return figures.remedies_by_state.get("held", 0)


def _whole(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


def _share(judged: Judged) -> str:
    return "none" if judged.rate is None else f"{judged.flagged:,} of {judged.units:,}, {percent(judged.rate)}"
