import hashlib
import hmac

import pytest

from detectors.telemetry.keys import MAX_BYTES, KeyRing, KeyRingError, load_key_ring

SECRET = "0f" * 32
KEY = f"""
[[key]]
id = "2026-11"
secret = "{SECRET}"
valid_from = 2026-11-01T00:00:00Z
valid_until = 2026-12-01T00:00:00+01:00
"""


def load(text: str) -> KeyRing:
    return load_key_ring(text.encode(), "keys.toml")


def test_a_key_has_its_time_and_gives_each_session_its_own() -> None:
    key = load(KEY).keys["2026-11"]
    assert (key.valid_from, key.valid_until) == (1_793_491_200_000, 1_796_079_600_000)
    assert key.of_session("s-1") == hmac.new(bytes.fromhex(SECRET), b"s-1", hashlib.sha256).digest()
    assert key.of_session("s-1") != key.of_session("s-2")


def test_several_keys_may_be_good_at_once() -> None:
    assert set(load(KEY + KEY.replace("2026-11", "2026-12", 1)).keys) == {"2026-11", "2026-12"}


def test_neither_key_nor_ring_shows_a_secret() -> None:
    ring = load(KEY)
    shown = repr(ring) + str(ring) + ring.sha256
    assert SECRET not in shown
    assert str(bytes.fromhex(SECRET)) not in shown


@pytest.mark.parametrize(
    ("old", "new"), [(SECRET, "0e" * 32), ("2026-12-01", "2026-12-02"), ("11-01", "11-02"), ('"2026-11"', '"2026"')]
)
def test_the_digest_tells_every_change_and_nothing_else(old: str, new: str) -> None:
    assert load(KEY.replace(old, new)).sha256 != load(KEY).sha256
    assert load("# a remark\n" + KEY).sha256 == load(KEY).sha256


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "key: is missing", id="empty"),
        pytest.param("key = []", "key: ", id="no keys"),
        pytest.param("\nkey\n", "keys.toml, line 2: is not TOML", id="no TOML"),
        pytest.param(KEY.replace("[[key]]", "[[kyes]]"), "the file: holds a name that is not", id="misspelt table"),
        pytest.param(KEY + "secrets = 1", "key number 1: holds a name that is not known", id="unknown name"),
        pytest.param(KEY.replace('id = "2026-11"\n', ""), "key number 1 id: is missing", id="no id"),
        pytest.param(KEY.replace("2026-11", "", 1), "key number 1 id: ", id="empty id"),
        pytest.param(KEY.replace(SECRET, SECRET[2:]), "key number 1 secret: must be 64 to 256", id="short secret"),
        pytest.param(KEY.replace(SECRET, "z" * 64), "key number 1 secret: must be 64 to 256", id="other digits"),
        pytest.param(KEY.replace(f'"{SECRET}"', "7"), "key number 1 secret: ", id="a number"),
        pytest.param(KEY.replace("00:00:00Z", "00:00:00"), "key number 1 valid_from: needs its zone", id="no zone"),
        pytest.param(KEY.replace("2026-11-01", "2027-11-01"), "valid_from must be before valid_until", id="backwards"),
        pytest.param(KEY + KEY, "two keys have one id", id="one id twice"),
    ],
)
def test_what_is_no_key_ring_is_said_in_one_sentence_without_any_secret(text: str, says: str) -> None:
    with pytest.raises(KeyRingError) as raised:
        load(text)
    message = str(raised.value)
    assert says in message
    assert "\n" not in message
    assert SECRET[2:] not in message
    assert raised.value.__cause__ is None


def test_a_file_named_by_mistake_is_not_read() -> None:
    with pytest.raises(KeyRingError, match="name the file of the keys itself"):
        load_key_ring(b"#" * (MAX_BYTES + 1), "night.jsonl")
    with pytest.raises(KeyRingError, match="is not TOML"):
        load_key_ring(b"\xff", "night.parquet")
