from dataclasses import replace

import pytest

from remediation.guards.figures import Judged
from remediation.report.glance import MOST_CURRENCIES, cards, money_cards, night_rows, record_cards
from remediation.report.night import Counts, Night
from remediation.report.view import Card
from tests.remediation.guards.nights import a_night as usual_night
from tests.remediation.guards.nights import paid, weeks
from tests.remediation.report.nights import A_NIGHT, a_backdrop, a_night, a_remedy, a_row


def named(found: tuple[Card, ...]) -> dict[str, Card]:
    return {card.label: card for card in found}


def test_a_figure_stands_beside_what_is_usual() -> None:
    backdrop = a_backdrop(earlier=weeks(4, sessions=Judged(1_000, 20), customers=7))
    found = named(cards(replace(A_NIGHT, sessions=40, flagged_sessions=3), backdrop))
    sessions, helped = found["Sessions flagged"], found["Customers helped"]
    assert (sessions.value, sessions.note) == ("7.5 %", "3 of 40; usually 2.0 %")
    assert (helped.value, helped.note) == ("1", "usually 7")
    assert "the 28 earlier nights lie between 2.0 % and 2.0 %, with a median of 2.0 %" in str(sessions.chart)


def test_the_first_night_has_figures_and_no_chart() -> None:
    found = (*cards(A_NIGHT, None), *money_cards(A_NIGHT, a_backdrop()), *record_cards(A_NIGHT, None))
    assert all(card.chart is None for card in found)
    assert "usually" not in " ".join(card.note for card in found)


@pytest.mark.parametrize(
    ("currency", "minor", "value", "usual"),
    [
        ("USD", 299, "2.99 USD", "11.97 USD"),
        ("JPY", 400, "400 JPY", "1,197 JPY"),
        ("KWD", 2_990, "2.990 KWD", "1.197 KWD"),
    ],
)
def test_money_has_the_digits_of_its_currency(currency: str, minor: int, value: str, usual: str) -> None:
    backdrop = a_backdrop(earlier=weeks(1, paid=(paid(3, currency=currency),)))
    card, _ = money_cards(a_night(a_row(a_remedy(amount=minor, currency=currency))), backdrop)
    assert (card.label, card.value, card.note) == ("To be paid", value, f"usually {usual}")


def test_a_currency_of_earlier_nights_is_not_forgotten_where_none_of_it_is_paid_tonight() -> None:
    backdrop = a_backdrop(earlier=weeks(1, paid=(paid(3), paid(9, currency="EUR"))))
    found = money_cards(A_NIGHT, backdrop)
    assert [(card.label, card.value) for card in found[:2]] == [
        ("To be paid in EUR", "0.00 EUR"),
        ("To be paid in USD", "2.99 USD"),
    ]


def test_of_many_currencies_those_with_most_refunds_have_a_card_and_the_table_has_all() -> None:
    currencies = ("AUD", "BRL", "CAD", "DKK", "EUR", "GBP", "HUF", "ISK", "JPY")
    every = tuple(paid(place + 1, currency=currency) for place, currency in enumerate(currencies))
    backdrop = a_backdrop(usual_night(paid=every), weeks(1, paid=every))
    labels = [card.label for card in money_cards(a_night(), backdrop)]
    assert labels == [
        *(f"To be paid in {each}" for each in currencies[: -MOST_CURRENCIES - 1 : -1]),
        "Remedies held for a person",
    ]
    assert all(currency in row.paid for row in night_rows(backdrop) for currency in currencies)


def test_the_table_tells_the_nights_from_the_latest_and_how_they_ended() -> None:
    rows = night_rows(a_backdrop(earlier=weeks(1), held={2}))
    assert [row.when for row in rows[:3]] == ["22 Nov 2026", "21 Nov 2026", "20 Nov 2026"]
    assert [row.state for row in rows[:4]] == ["tonight", "released", "held", "released"]
    assert (rows[0].paid, rows[0].customers, rows[0].held, rows[0].sessions) == (
        "119.70 USD",
        "29",
        "2",
        "40 of 4,000, 1.0 %",
    )


def test_what_became_of_records_is_a_share_of_all() -> None:
    night = replace(A_NIGHT, counts=Counts(records=200, used=190, duplicate=1, rejected=4, late=5))
    assert [(card.value, card.note) for card in record_cards(night, None)] == [
        ("2.0 %", "4 of 200"),
        ("2.5 %", "5 of 200"),
        ("0.5 %", "1 of 200"),
    ]


def test_a_night_without_anything_is_told_without_a_share() -> None:
    empty = replace(a_night(), counts=Counts(0, 0, 0, 0, 0), sessions=0, flagged_sessions=0)
    assert {card.value for card in (*cards(empty, None), *record_cards(empty, None))} == {"0", "none came"}
    assert [card.value for card in money_cards(empty, None)] == ["nothing", "0"]


def test_a_held_remedy_shows_its_money() -> None:
    night: Night = a_night(a_row(a_remedy(state="held")))
    assert named(money_cards(night, None))["Remedies held for a person"].note == "2.99 USD"
