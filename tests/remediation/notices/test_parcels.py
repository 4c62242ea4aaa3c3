"""Mails about parcels: what failed on which days, and what was done about it in money and goods."""

from collections.abc import Mapping

import pytest

from detectors.finding import Kind, Scalar
from remediation.notices.errors import NoticeError
from remediation.preview.samples import EVIDENCE, NINE_IN_THE_EVENING, UNASKED, every_failure
from remediation.remedy import Action
from tests.remediation.notices.letters import a_finding, a_mail

REFUND = Action("refund", 299)
SHIPPING = Action("shipping_refund", 100)
NEXT_DAY = Action("replacement", service_level="next_day")
EXCHANGE = Action("exchange")


@pytest.mark.parametrize(
    ("name", "noticed", "fact", "second"),
    [
        (
            "late",
            "was delivered late",
            "Delivered 3 days late",
            "Promised for Wednesday, November 18, 2026, delivered on Saturday, November 21, 2026",
        ),
        (
            "late_missing",
            "has not reached you",
            "Not delivered up to Saturday, November 21, 2026",
            "Promised for Wednesday, November 18, 2026",
        ),
        ("lost", "has not reached you", "Not scanned for 9 days", "Last scanned on Thursday, November 12, 2026"),
        ("lost_declared", "was lost", "Reported lost by the carrier", "Ordered on Saturday, November 21, 2026"),
        ("lost_never_scanned", "has not reached you", "Never scanned by the carrier", "Ordered on Saturday, Novem"),
        ("damaged", "was damaged on its way", "Reported damaged by the carrier", "Scanned on Friday, November 20"),
        ("damaged_told", "You told us that", "Damaged on arrival", "You told us on Saturday, November 21, 2026"),
        ("returned", "was sent back", "Returned to sender", "Scanned on Friday, November 20, 2026"),
        (
            "delivered_not_received",
            "was not there, although it is marked as delivered",
            "Marked as delivered on Friday, November 20, 2026",
            "You told us on Saturday, November 21, 2026",
        ),
        ("misdelivered", "somewhere other than", "Delivered 430 m from your address", "Delivered on Friday, November"),
        ("wrong_item", "another item came instead of", "Another item received", "You told us on Saturday, November 21"),
        ("wrong_item_again", "once again", "Another item received 2 times", "You last told us on Saturday, November"),
    ],
)
def test_every_way_a_parcel_fails_is_told_by_its_own_days(name: str, noticed: str, fact: str, second: str) -> None:
    opening, facts, *_ = a_mail(every_failure()[name]).text.split("\n\n")
    first, last = (line.strip() for line in facts.splitlines())

    assert noticed in opening
    assert first == fact
    assert last.startswith(second)


def test_a_day_is_the_customers_and_a_day_of_the_detectors_stays_as_it_is() -> None:
    mail = a_mail(a_finding("delivered_not_received"), timezone="America/Los_Angeles")

    assert "Marked as delivered on Friday, November 20, 2026" in mail.text
    assert "You told us on Friday, November 20, 2026" in mail.text


def test_a_day_in_a_zone_that_nobody_knows_says_that_it_is_utc() -> None:
    mail = a_mail(a_finding("lost"), timezone="Mars/Phobos")

    assert "Last scanned on Thursday, November 12, 2026, Coordinated Universal Time" in mail.text


def test_a_parcel_that_the_carrier_gave_up_is_told_as_lost_even_if_it_was_never_scanned() -> None:
    finding = a_finding("lost", evidence={**EVIDENCE["lost"], "declared": True, "never_scanned": True})

    assert "Reported lost by the carrier" in a_mail(finding).text


def test_damage_that_the_customer_told_of_is_not_what_we_noticed() -> None:
    both = a_finding("damaged", evidence={**EVIDENCE["damaged"], "reported_at": NINE_IN_THE_EVENING})

    assert "You told us" in a_mail(both).text
    assert "We noticed" in a_mail(a_finding("damaged", evidence={**EVIDENCE["damaged"], **UNASKED})).text


@pytest.mark.parametrize(
    ("kind", "evidence", "complaint"),
    [
        ("late", {"promised_date": "18 November"}, "promised_date of its evidence is no day"),
        ("lost", {"last_scan_at": "yesterday"}, "last_scan_at of its evidence is no day"),
        ("lost", {"last_scan_at": None}, "a lost mail states a figure .*last_scan_at"),
        ("late", {"delivered_date": None, "days_late": None}, "a late mail states a figure .*up_to"),
        ("misdelivered", {"distance_m": None}, "a misdelivered mail states a figure .*distance_m"),
    ],
)
def test_a_day_or_distance_that_is_none_is_not_written(
    kind: Kind, evidence: Mapping[str, Scalar], complaint: str
) -> None:
    with pytest.raises(NoticeError, match=complaint):
        a_mail(a_finding(kind, evidence={**EVIDENCE[kind], **evidence}))


def test_the_subject_tells_the_whole_sum_that_went_back() -> None:
    mail = a_mail(a_finding("late"), actions=(SHIPPING, REFUND, Action("credit", 50)))

    assert mail.subject.endswith("your refund of $3.99")
    assert "We have refunded $1.00 of shipping for your order" in mail.text
    assert "We have refunded $2.99 for your order" in mail.text
    assert mail.text.count("The refund shows in your account") == 1


def test_the_thor_mail_tells_of_the_refund_first_and_of_the_new_parcel_with_its_service() -> None:
    mail = a_mail(a_finding("delivered_not_received"), actions=(REFUND, NEXT_DAY), voice="playful")

    *_, done, _ = mail.text.strip().split("\n\n")
    assert mail.subject.endswith("your refund of $2.99")
    assert [line.split(" for your order")[0] for line in done.splitlines()[:2]] == [
        "We have refunded $2.99",
        "We have ordered a replacement",
    ]
    assert "by next-day service, at no cost to you." in done


def test_a_replacement_by_ordinary_service_says_nothing_of_speed() -> None:
    mail = a_mail(a_finding("lost"), actions=(Action("replacement", service_level="standard"),))

    assert "next-day" not in mail.text
    assert mail.text == a_mail(a_finding("lost"), actions=(Action("replacement"),)).text


@pytest.mark.parametrize(
    ("action", "subject"),
    [(NEXT_DAY, "and your replacement"), (EXCHANGE, "and your exchange")],
    ids=["replacement", "exchange"],
)
def test_goods_alone_make_a_mail_without_an_amount(action: Action, subject: str) -> None:
    mail = a_mail(a_finding("wrong_item"), actions=(action,))

    assert mail.subject.endswith(subject)
    assert "$" not in mail.subject + mail.text
    assert "refund" not in mail.subject + mail.text + mail.html
    assert "There is nothing you need to do." in mail.text


def test_after_an_exchange_the_wrong_item_may_be_kept() -> None:
    mail = a_mail(a_finding("wrong_item"), actions=(EXCHANGE, REFUND))

    assert "The one that came instead is yours to keep." in mail.text
    assert "We have refunded $2.99" in mail.text


@pytest.mark.parametrize("name", ["wrong_item", "wrong_item_again"])
def test_a_correction_of_the_listing_is_told_only_once_it_is_done(name: str) -> None:
    finding = every_failure()[name]

    assert "listing" not in a_mail(finding).text
    assert "found a mistake in the listing of “Casablanca” and corrected it." in a_mail(finding, corrected=True).text


def test_a_correction_of_the_listing_does_not_concern_a_lost_parcel() -> None:
    assert a_mail(a_finding("lost"), corrected=True) == a_mail(a_finding("lost"))
