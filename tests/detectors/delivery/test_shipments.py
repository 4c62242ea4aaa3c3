"""The fold: what scans amount to, in any order, however often each came, and after one was taken back."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import schemas
from detectors.finding import Finding
from tests.detectors.delivery.told import (
    IN_TIME,
    ON_ITS_WAY,
    Contact,
    Line,
    Scan,
    at,
    contact,
    found,
    kinds,
    scan,
    sole,
)
from tests.support.examples import examples

RETRACTED = "did_not_occur"
HOUR_MS = 3_600_000

# The promise is over before silence counts as loss, so that no on-time delivery can follow upon a loss.
hours = st.integers(min_value=0, max_value=24 * 20).map(lambda hour: at("11-02 10:00") + hour * HOUR_MS)
reasons = st.sampled_from([None, *(reason for reason in schemas.PARCEL_REASONS if reason != RETRACTED)])


def scans_of(statuses: tuple[str, ...], why: st.SearchStrategy[str | None] = reasons) -> st.SearchStrategy[list[Scan]]:
    one = st.builds(
        Scan,
        event_time=hours,
        status=st.sampled_from(statuses),
        reason=why,
        proof=st.sampled_from([None, *schemas.PROOFS]),
        lat=st.sampled_from([None, 40.0, 41.0]),
        lon=st.sampled_from([None, -75.0]),
        depot=st.sampled_from([None, "Newark", "Trenton"]),
        carrier=st.sampled_from([None, "swift", "snail"]),
    )
    return st.lists(one, max_size=8)


any_scans = scans_of(schemas.PARCEL_STATUSES)
any_contacts = st.lists(
    st.builds(
        Contact,
        contact_id=st.uuids().map(str),
        event_time=hours,
        topic=st.sampled_from(schemas.TOPICS),
        voice=st.sampled_from([None, "warm"]),
        received_item_id=st.sampled_from([None, "film"]),
    ),
    max_size=4,
)
NAMED = Line()
UNNAMED = Line(carrier=None, timezone=None)


@examples(20)
@given(any_scans, any_contacts, st.randoms(use_true_random=False), st.sampled_from([NAMED, UNNAMED]))
def test_order_and_repetition_change_nothing(
    scans: list[Scan], contacts: list[Contact], chance: st.DataObject, line: Line
) -> None:
    again = [*scans, *scans[:3]]
    asked_again = [*contacts, *contacts[:2]]
    chance.shuffle(again)  # type: ignore[attr-defined]  # a random.Random of Hypothesis
    chance.shuffle(asked_again)  # type: ignore[attr-defined]
    assert found(line, again, asked_again) == found(line, scans, contacts)


@examples(20)
@given(any_scans, any_scans, st.sampled_from([NAMED, UNNAMED]))
def test_a_scan_that_was_taken_back_might_as_well_not_be(scans: list[Scan], wrong: list[Scan], line: Line) -> None:
    void = {(each.event_time, each.status) for each in wrong}
    rest = [each for each in scans if (each.event_time, each.status) not in void]
    taken_back = [replace(each, reason=RETRACTED, proof=None, depot=None) for each in wrong]
    assert found(line, [*taken_back, *scans, *wrong]) == found(line, rest)


@examples(20)
@given(any_scans, any_contacts, scans_of(("unknown",)), st.sampled_from([NAMED, UNNAMED]))
def test_a_scan_of_unknown_status_never_adds_a_failure(
    scans: list[Scan], contacts: list[Contact], unknown: list[Scan], line: Line
) -> None:
    without, with_it = found(line, scans, contacts), found(line, [*scans, *unknown], contacts)
    # A sign of life may make of a lost parcel one that is merely late.
    milder = {"late"} if "lost" in kinds(without) else set()
    assert set(kinds(with_it)) <= set(kinds(without)) | milder


@examples(20)
@given(any_scans, any_contacts, hours, hours)
def test_what_happens_later_is_not_known_earlier(
    scans: list[Scan], contacts: list[Contact], one: int, other: int
) -> None:
    earlier = min(one, other)
    known = [each for each in scans if each.event_time <= earlier]
    said = [each for each in contacts if each.event_time <= earlier]
    assert found(scans=scans, contacts=contacts, as_of=earlier) == found(scans=known, contacts=said, as_of=earlier)


ONWARD = (
    "pending",
    "picked_up",
    "in_transit",
    "out_for_delivery",
    "delivery_delayed",
    "on_hold",
    "delivered",
    "unknown",
)


@examples(20)
@given(scans_of(ONWARD, st.sampled_from([None, "damaged", "weather"])), hours, hours)
def test_a_line_that_failed_early_has_failed_later_too(scans: list[Scan], one: int, other: int) -> None:
    scans = [replace(each, lat=None) for each in scans]
    earlier, later = sorted((one, other))
    assert bool(found(scans=scans, as_of=earlier)) <= bool(found(scans=scans, as_of=later))


@examples(20)
@given(any_scans, any_contacts)
def test_every_figure_is_one_that_money_may_rest_on(scans: list[Scan], contacts: list[Contact]) -> None:
    as_of = at("11-30 12:00")
    for finding in found(scans=scans, contacts=contacts, as_of=as_of):
        assert 0 < finding.severity <= 1
        assert 0 <= finding.occurred_from <= finding.occurred_to <= as_of


def test_a_delivery_that_did_not_occur_leaves_a_late_parcel() -> None:
    wrong = scan("11-05 14:00 delivered", reason=RETRACTED)
    for scans in ([*IN_TIME, wrong], [wrong, *IN_TIME]):
        sole(found(scans=scans, as_of="11-07 12:00"), "late")


def test_another_time_another_scan() -> None:
    other = scan("11-05 14:01 delivered", reason=RETRACTED)
    assert found(scans=[*IN_TIME, other]) == []


def test_the_same_number_of_another_parcel_does_not_exist() -> None:
    other = scan("11-05 14:00 delivered", reason=RETRACTED, tracking_number="another")
    assert found(scans=[*IN_TIME, other]) == []


def test_the_strongest_proof_counts_whichever_scan_bore_it() -> None:
    scans = [
        scan("11-05 14:00 delivered", proof="pin"),
        scan("11-05 14:01 delivered", proof="none"),
        scan("11-05 14:02 delivered"),
    ]
    finding = sole(found(scans=scans, contacts=[contact("11-06 09:00 not_received")]), "delivered_not_received")
    assert (finding.evidence["proof"], finding.evidence["signals_against"]) == ("pin", "pin")


def test_the_last_depot_is_the_last_that_scanned_it() -> None:
    scans = [
        scan("11-04 02:00 in_transit", depot="Newark"),
        scan("11-04 09:00 on_hold"),
        scan("11-03 02:00 picked_up", depot="Trenton"),
    ]
    assert found(scans=scans, as_of="11-07 12:00")[0].evidence["depot"] == "Newark"


@pytest.mark.parametrize(
    ("reason", "fault"),
    [
        ("refused", "consignee"),
        ("address", "consignee"),
        ("unclaimed", "consignee"),
        ("customs", "customs"),
        ("weather", "weather"),
        ("merchant", "merchant"),
        ("carrier", "carrier"),
        ("damaged", "carrier"),
        (None, "carrier"),
    ],
)
def test_a_return_is_the_fault_of_whoever_gave_the_reason(reason: str | None, fault: str) -> None:
    finding = returned(found(scans=[*ON_ITS_WAY, scan("11-06 12:00 return_to_sender", reason=reason)]))
    assert (finding.fault, finding.evidence["reason"]) == (fault, reason)
    assert finding.evidence["scanned_at"] == at("11-06 12:00")


def test_the_reason_may_stand_on_the_attempt_before_the_return() -> None:
    scans = [*ON_ITS_WAY, scan("11-05 12:00 delivery_failed", reason="refused"), scan("11-06 12:00 return_to_sender")]
    finding = returned(found(scans=scans))
    assert (finding.fault, finding.evidence["reason"]) == ("consignee", "refused")


def test_delivered_to_the_sender_is_not_delivered() -> None:
    scans = [*ON_ITS_WAY, scan("11-05 12:00 return_to_sender"), scan("11-09 12:00 delivered")]
    told = found(scans=scans, contacts=[contact("11-10 09:00 not_received")])
    assert kinds(told) == ["returned"]


def test_whose_fault_a_return_after_delivery_is_nobody_knows() -> None:
    assert returned(found(scans=[*IN_TIME, scan("11-12 12:00 return_to_sender")])).fault == "unknown"


def returned(findings: list[Finding]) -> Finding:
    """The only finding but that it was damaged on the way, too."""
    return sole([finding for finding in findings if finding.kind != "damaged"], "returned")
