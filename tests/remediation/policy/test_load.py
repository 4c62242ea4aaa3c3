import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.policy.load import MAX_BYTES, PolicyError, default_policy, default_text, load_policy
from remediation.policy.model import Policy
from tests.remediation.policy.stories import a_policy

KEY = re.compile(r"(\w+) = ")


def test_the_default_policy_holds_the_figures_of_the_standard() -> None:
    playback = default_policy().playback
    assert (playback.stalls.bad_ratio, playback.stalls.burst_count, playback.stalls.long_stall_ms) == (0.02, 3, 15_000)
    assert (playback.start.slow_ms, playback.start.very_slow_ms) == (5_000, 10_000)
    assert (playback.picture.low_height, playback.picture.share_of_play) == (360, 0.5)
    assert (playback.timeline.session_gap_ms, playback.timeline.allowed_lateness_ms) == (1_800_000, 604_800_000)


def test_the_default_policy_holds_the_figures_of_delivery() -> None:
    policy = default_policy()
    usual = policy.delivery.carrier("some carrier")
    assert (usual.lost_domestic, usual.lost_abroad, usual.never_scanned) == (7, 20, 5)
    assert (policy.delivery.late.grace, policy.delivery.proof.far_m, policy.delivery.proof.many_reports) == (0, 200, 3)
    assert (policy.incidents.min_units, policy.incidents.q_value) == (25, 0.01)
    assert (policy.goods.repeated.raise_within_days, policy.goods.repeated.letter_within_days) == (30, 90)


def test_every_figure_of_the_default_policy_has_a_remark_with_its_source() -> None:
    remark = ""
    without = []
    for line in default_text().decode().splitlines():
        key = KEY.match(line)
        if line.startswith("#"):
            remark += line
        elif key and "Source:" not in remark and not line.split("}")[-1].strip().startswith("# "):
            without.append(key[1])
        elif not line.startswith("["):
            remark = ""
    assert without == []


def test_goodwill_is_off_and_mails_go_out_by_day() -> None:
    policy = default_policy()
    assert not policy.goodwill.enabled
    assert (policy.mail.from_hour, policy.mail.until_hour) == (8, 20)
    assert policy.mail.voice_for("playful") == "playful"
    assert a_policy(('voice = "as_chosen"', 'voice = "plain"')).mail.voice_for("playful") == "plain"


def test_remarks_spacing_and_order_of_lines_are_no_other_policy() -> None:
    text = default_text().decode()
    terse = "\n".join(line for line in text.splitlines() if not line.startswith("#")).replace(" = ", "=")
    turned = a_policy(
        ("moderate_from = 0.15", "severe_from = 0.30"), ("\nsevere_from = 0.3\n", "\nmoderate_from=15e-2\n")
    )
    assert load_policy(terse.encode(), "terse.toml").sha256 == default_policy().sha256 == turned.sha256


def test_a_changed_figure_is_another_policy() -> None:
    changed = a_policy(("bad_ratio = 0.02", "bad_ratio = 0.021"))
    assert changed.sha256 != default_policy().sha256
    assert re.fullmatch("[0-9a-f]{64}", changed.sha256)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param("bad_ratio = 0.02", "", r"playback\.stalls\.bad_ratio: is missing: add it", id="missing"),
        pytest.param(
            "bad_ratio =", "bad_ration =", r"playback\.stalls\.bad_ration: is not a known name", id="misspelt"
        ),
        pytest.param("bad_ratio = 0.02", "bad_ratio = 2", "less than or equal to 1: correct it", id="out of bounds"),
        pytest.param("bad_ratio = 0.02", "bad_ratio = nan", "finite number", id="no number"),
        pytest.param("bad_ratio = 0.02", 'bad_ratio = "0.02"', "valid number", id="text for a number"),
        pytest.param("period_days = 30", "period_days = 30.5", "valid integer", id="fraction for a whole number"),
        pytest.param("enabled = false", "enabled = 0", "valid boolean", id="number for yes or no"),
        pytest.param("[mail]", "[post]", "post: is not a known name", id="misspelt section"),
        pytest.param("USD = {", "usd = {", "three capital letters, such as USD", id="currency in small letters"),
        pytest.param("USD = {", "USX = {", "is no currency in circulation", id="no such currency"),
        pytest.param("USD = { minimum = 50", "USD = { minimum = -50", "greater than or equal to 0", id="below zero"),
        pytest.param("moderate_from = 0.15", "moderate_from = 0.3", "moderate_from must be less", id="tiers crossed"),
        pytest.param("mild = 50, moderate", "mild = 101, moderate", "less than or equal to 100", id="more than paid"),
        pytest.param(
            "mild = 50, moderate = 100",
            "mild = 100, moderate = 50",
            "a worse tier must not owe less",
            id="worse owes less",
        ),
        pytest.param("percent = 20", "percent = 51", "less than or equal to 50", id="more goodwill than 150 %"),
        pytest.param("until_hour = 20", "until_hour = 8", "from_hour must be before until_hour", id="no hour for mail"),
        pytest.param("moderate_from_days = 3", "moderate_from_days = 7", "must be less than severe", id="days crossed"),
        pytest.param("raise_within_days = 30", "raise_within_days = 91", "must not be more than letter", id="windows"),
        pytest.param(
            'wrong_item = { first = "exchange_if_in_stock", again = "exchange_and_refund"',
            'wrong_item = { first = "exchange_and_refund", again = "exchange_if_in_stock"',
            "must not be less than what is done first",
            id="less the second time",
        ),
        pytest.param(
            'delivered_not_received = { first = "refund_and_replacement", again = "refund_and_replacement"',
            'delivered_not_received = { first = "refund_and_replacement", again = "refund"',
            "must not be less than what is done first",
            id="nothing sent the second time",
        ),
        pytest.param('first = "refund_and', 'first = "regret_and', "'refund'", id="no such answer"),
        pytest.param("default = { lost", "others = { lost", "must have a line called default", id="no default carrier"),
        pytest.param("usps = { lost", "USPS = { lost", "written in small letters", id="carrier in capitals"),
        pytest.param("enabled = false", "enabled = no", "is not TOML: Invalid value", id="not TOML"),
        pytest.param("enabled = false", "enabled = false\nenabled = true", "is not TOML: ", id="said twice"),
        pytest.param("period_days = 30", "period_days = " + "3" * 5_000, "cannot be read", id="endless number"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(old: str, new: str, said: str) -> None:
    with pytest.raises(PolicyError, match=said) as caught:
        a_policy((old, new))
    assert str(caught.value).startswith("policy.toml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("bad_ratio = 0.02", "bad_ratio = 2", id="a figure"),
        pytest.param("JPY = { minimum = 70", "JPY = { minimum = -1", id="a figure within a line"),
        pytest.param(
            "playback_failed = { mild = 100", "playback_failed = { mild = 101", id="the first of several alike"
        ),
    ],
)
def test_the_line_is_named(old: str, new: str) -> None:
    text = default_text().decode()
    number = text[: text.index(old)].count("\n") + 1
    with pytest.raises(PolicyError, match=f"policy.toml, line {number}: "):
        load_policy(text.replace(old, new, 1).encode(), "policy.toml")


def test_one_fault_is_named_and_the_others_are_counted() -> None:
    missing = len(Policy.model_fields)
    with pytest.raises(PolicyError, match=rf"line 2: x: is not a known name.*\(and {missing} more\)"):
        load_policy(b"\nx = 1", "policy.toml")


def test_another_file_named_by_mistake_is_refused_unread() -> None:
    with pytest.raises(PolicyError, match="more than any policy"):
        load_policy(b"#" * (MAX_BYTES + 1), "events.parquet")
    with pytest.raises(PolicyError, match="not UTF-8 text at byte 0"):
        load_policy(b"\xff\xfe", "events.parquet")
    with pytest.raises(PolicyError, match="is not TOML"):
        load_policy(b"a = " + b"[" * 100_000, "deep.toml")


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_garbage_is_always_a_policy_error(text: bytes) -> None:
    with pytest.raises(PolicyError, match=r"^policy\.toml"):
        load_policy(text, "policy.toml")
