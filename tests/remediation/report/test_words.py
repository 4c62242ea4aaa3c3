from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

import pytest

from detectors import schemas
from detectors.finding import DeliveryKind, Fault, Kind, PlaybackKind, Scalar
from remediation.remedy import Action, ActionKind
from remediation.report import words
from tests.remediation.report.nights import EVENING, STALLS, a_finding, a_remedy

STORIES: list[tuple[Kind, Mapping[str, Scalar], str]] = [
    ("playback_stalls", STALLS, "stalled 6 times, 10.9 s in all, longest 2.9 s, of 86.2 s watched"),
    (
        "playback_stalls",
        {"stall_count": 1, "stall_ms": 16_000, "longest_stall_ms": 16_000, "watched_ms": 5_400_000},
        "stalled 1 time, 16.0 s in all, of 1 h 30 min watched",
    ),
    ("slow_start", {"startup_ms": 11_200}, "the first picture came after 11.2 s"),
    (
        "playback_failed",
        {"exit_before_start": True, "played_ms": 0, "watched_ms": 32_100, "error_code": None},
        "no picture came within 32.1 s",
    ),
    (
        "playback_failed",
        {"failed": True, "played_ms": 12_300, "watched_ms": 20_000, "error_code": "27", "server_error_count": 2},
        "the picture ended for a technical reason after 12.3 s of play, error code 27, 2 server errors",
    ),
    ("playback_failed", {"failed": True}, "playback ended for a technical reason"),
    (
        "low_quality",
        {
            "low_picture_ms": 71_000,
            "judged_picture_ms": 80_000,
            "mean_bitrate_kbps": 150.4,
            "top_bitrate_kbps": 1_800.0,
            "mean_height": 240.0,
            "player_height": 720,
        },
        (
            "picture far below what was promised for 71.0 s of 80.0 s judged, "
            "150 kbit/s on average where 1,800 kbit/s are offered, 240 rows of picture on a player of 720"
        ),
    ),
    (
        "slow_seeks",
        {"stall_after_seek_ms": 12_000, "seek_count": 4},
        "waited 12.0 s longer than seeks may take, over 4 seeks",
    ),
    (
        "late",
        {"promised_date": "2026-11-18", "delivered_date": "2026-11-21", "days_late": 3, "depot": "RENO, NV"},
        "promised for 2026-11-18, delivered on 2026-11-21, 3 days late",
    ),
    (
        "late",
        {"promised_date": "2026-11-20", "delivered_date": None, "days_late": 1},
        "promised for 2026-11-20, not delivered yet, 1 day late",
    ),
    (
        "lost",
        {"last_scan_at": EVENING, "days_silent": 8, "never_scanned": False, "declared": False},
        "no scan for 8 days, last scanned 2026-11-21 20:04:31 UTC",
    ),
    (
        "lost",
        {"last_scan_at": EVENING, "days_silent": 2, "never_scanned": False, "declared": True},
        "declared lost by the carrier, last scanned 2026-11-21 20:04:31 UTC",
    ),
    (
        "lost",
        {"last_scan_at": None, "days_silent": 9, "never_scanned": True, "declared": False},
        "never scanned by any carrier, bought 9 days ago",
    ),
    ("damaged", {"reason": None, "scanned_at": EVENING}, "reported as damaged 2026-11-21 20:04:31 UTC"),
    (
        "returned",
        {"reason": "refused", "scanned_at": EVENING},
        "went back to the sender 2026-11-21 20:04:31 UTC, because the recipient refused it",
    ),
    (
        "returned",
        {"reason": "a note of a person"},
        "went back to the sender, because of something that is not known here",
    ),
    (
        "delivered_not_received",
        {
            "delivered_at": EVENING,
            "delivered_date": "2026-11-21",
            "reported_at": EVENING + 60_000,
            "proof": None,
            "distance_m": 1_850,
            "reports_90_days": 1,
            "orders_known": 14,
            "signals_for": "proof_far,first_report",
            "signals_against": "",
        },
        (
            "scanned as delivered 2026-11-21 20:04:31 UTC, reported missing 2026-11-21 20:05:31 UTC, "
            "with no proof known, 1,850 m from the address, 1 such report of this customer in 90 days, "
            "of 14 order lines known, "
            "for the customer: the proof lies far from the address and the customer's first report"
        ),
    ),
    (
        "delivered_not_received",
        {"proof": "photo", "reports_90_days": 4, "orders_known": None, "signals_against": "photo,many_reports"},
        (
            "scanned as delivered, reported missing, proved by a photo, 4 such reports of this customer in 90 days, "
            "against: a photo near the address and many reports of this customer"
        ),
    ),
    (
        "misdelivered",
        {"distance_m": 16_782, "delivered_at": EVENING},
        "delivered 16,782 m from the address, 2026-11-21 20:04:31 UTC",
    ),
    (
        "wrong_item",
        {"wrong_count": 1, "received_item_id": "coffee-regular"},
        "another item came, item coffee-regular instead",
    ),
    (
        "wrong_item",
        {"wrong_count": 2, "received_item_id": "coffee-regular", "mixup_lines": 1, "mixup_customers": 1},
        ("another item came 2 times, item coffee-regular instead, the same mix-up on 1 other order line of 1 customer"),
    ),
]


@pytest.mark.parametrize(("kind", "evidence", "sentence"), STORIES)
def test_evidence_is_told_in_words(kind: Kind, evidence: Mapping[str, Scalar], sentence: str) -> None:
    assert words.evidence(a_finding(kind=kind, evidence=evidence)) == sentence


@pytest.mark.parametrize("kind", [*get_args(PlaybackKind), *get_args(DeliveryKind)])
def test_every_kind_has_its_words_even_without_figures(kind: Kind) -> None:
    unknown = dict.fromkeys(["stall_count", "stall_ms", "startup_ms", "watched_ms", "played_ms"])

    assert words.evidence(a_finding(kind=kind, evidence={}))
    assert "None" not in words.evidence(a_finding(kind=kind, evidence=unknown))
    assert words.kind_name(kind) != kind
    assert words.rule(kind) != words.rule("no such kind")


@pytest.mark.parametrize("fault", get_args(Fault))
def test_every_fault_has_its_words(fault: Fault) -> None:
    assert fault in words._FAULTS  # noqa: SLF001 - the table must be complete
    assert words.fault_words(fault)


def test_kinds_and_faults_of_a_later_version_are_named_as_they_are() -> None:
    assert words.kind_name("echo") == "echo"
    assert words.fault_words("sunspots") == "sunspots"


def test_figures_follow_the_unit_in_their_name() -> None:
    evidence: dict[str, Scalar] = {
        "stall_ms": 10_900,
        "stalled_ratio": 0.126,
        "mean_bitrate_kbps": 1_234.5,
        "first_fault_at": 1_795_291_471_000,
        "failed": False,
        "stall_count": 6,
        "quality_score": 2.123,
        "startup_ms": None,
        "mean_height": float("nan"),
    }

    assert words.figures(a_finding(evidence=evidence)) == (
        ("failed", "no"),
        ("first fault", "2026-11-21 20:04:31 UTC"),
        ("mean bitrate", "1,234.5 kbit/s"),
        ("mean height", "unknown"),
        ("quality score", "2.12"),
        ("stall count", "6"),
        ("stall", "10.9 s"),
        ("stalled", "12.6 %"),
    )


@pytest.mark.parametrize("code", ["jane.doe@example.com", "Jane Doe", "x" * 61, "a\nb"])
def test_an_error_code_that_may_name_a_person_is_not_repeated(code: str) -> None:
    told = a_finding(kind="playback_failed", evidence={"error_code": code})

    assert words.evidence(told) == "playback ended for a technical reason, error code (not shown)"
    assert words.figures(told) == (("error code", "(not shown)"),)


@pytest.mark.parametrize(
    ("depot", "shown"),
    [
        ("RENO, NV", "RENO, NV"),
        ("東京ベース", "東京ベース"),
        ("Saint-Denis (93)", "Saint-Denis (93)"),
        ("St. Paul, MN", "St. Paul, MN"),
        ("jane.doe@example.com", "(not shown)"),
        ("a\u202eb", "(not shown)"),
        ("x" * 61, "(not shown)"),
        ("left with the neighbours at number nine in Long Street", "(not shown)"),
    ],
)
def test_a_depot_is_shown_where_it_looks_like_one(depot: str, shown: str) -> None:
    assert words.figures(a_finding(kind="late", evidence={"depot": depot})) == (("depot", shown),)


def test_signals_are_told_in_words_and_a_strange_one_is_not_repeated() -> None:
    evidence: dict[str, Scalar] = {
        "distance_m": 44,
        "signals_against": "pin,neighbour, of later,x1",
        "signals_for": "",
    }

    assert words.figures(a_finding(kind="delivered_not_received", evidence=evidence)) == (
        ("distance", "44 m"),
        ("signals against", "a PIN was given, left with a neighbour, (not shown) and x1"),
        ("signals for", "none"),
    )


def test_every_signal_that_the_detector_knows_has_its_words() -> None:
    known = "no_photo,proof_far,first_report,others_same_day,photo,pin,signature,neighbour,many_reports"
    ((_, told),) = words.figures(a_finding(evidence={"signals_for": known}))

    assert "_" not in told
    assert "(not shown)" not in told


@pytest.mark.parametrize("reason", schemas.PARCEL_REASONS)
def test_every_reason_of_a_carrier_has_its_words(reason: str) -> None:
    told = words.evidence(a_finding(kind="returned", evidence={"reason": reason}))

    assert "because" in told
    assert "not known here" not in told


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Casablanca", "Casablanca"),
        ({"en": "Casablanca", "ja": "カサブランカ"}, "Casablanca"),
        ({"de": "Das Boot", "en-GB": "The Boat"}, "The Boat"),
        ({"en-GB": "The Boat", "en": "Boat"}, "Boat"),
        ({"ja": "カサブランカ"}, "カサブランカ"),
        ({}, ""),
    ],
    ids=["text", "English", "English of a country", "English of all", "no English", "nothing"],
)
def test_a_title_is_shown_in_english_where_it_has_one(title: str | Mapping[str, str], shown: str) -> None:
    assert words.title_text(title) == shown


def test_actions_say_what_is_done() -> None:
    assert words.actions(a_remedy()) == "refund of 2.99 USD"
    assert words.worth(a_remedy()) == "2.99 USD"
    assert words.action(Action("replacement", service_level="next_day"), "USD") == "replacement by next-day service"


@pytest.mark.parametrize("kind", get_args(ActionKind))
def test_every_action_has_its_words(kind: ActionKind) -> None:
    assert kind in words._ACTIONS  # noqa: SLF001 - the table must be complete


def test_goods_and_letters_are_worth_no_money() -> None:
    goods = replace(a_remedy(amount=0), actions=(Action("exchange"), Action("letter")))

    assert words.worth(goods) == "no money"
    assert words.actions(goods) == "exchange (the wrong item may be kept) and a letter that a person writes"
