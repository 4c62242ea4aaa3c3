"""Signed beacons: what is verified, what is rejected, and what is merely unsigned."""

import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.telemetry.fields import FIELDS, KEY_ID, SIGNATURE
from detectors.telemetry.keys import KeyRing
from detectors.telemetry.signatures import SIGNED, UNSIGNED
from tests.detectors.telemetry.reading import NOW, Json, Read, a_beacon, jsonl
from tests.detectors.telemetry.signing import DAY, a_key, a_ring, signed
from tests.support.examples import examples

FULL: dict[str, Json] = {
    **a_beacon(customer_id="c-1", content_id='Rick\'s "Café"\\', state="stalled", error_code="27", fatal=False),
    "sequence": 7,
    "position_ms": 61_000,
    "playback_rate": 1.5,
    "bitrate_kbps": 4_500,
    "frame_rate": 23.976,
    "buffer_ms": 0.5,
    "codec": "avc1.640028",
    "cdn": "edge",
}


def read(*records: dict[str, Json], ring: KeyRing | None = None) -> Read:
    return Read(jsonl(records), keys=ring or a_ring())


def verdicts(found: Read) -> list[bool | None]:
    return found.events["signed"].to_list()


def as_parquet(records: Sequence[dict[str, Json]]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(records)), stream)
    return stream.getvalue()


def test_a_signature_that_fits_is_told_and_travels_no_further() -> None:
    found = read(signed(FULL), a_beacon(session_id="unsigned"))
    assert verdicts(found) == [True, None]
    assert not {KEY_ID, SIGNATURE} & set(found.blocks[0].events.columns)
    assert found.ignored == []


@pytest.mark.parametrize("name", sorted({*FULL, "device"} - {KEY_ID, SIGNATURE}))
def test_whatever_is_altered_or_added_is_rejected_and_its_neighbours_are_kept(name: str) -> None:
    others: dict[str, Json] = {"state": "playing", "fatal": True}
    said = FULL.get(name)
    other = said + 1 if isinstance(said, int | float) and not isinstance(said, bool) else others.get(name, "other")
    found = read(signed(a_beacon()), {**signed(FULL), name: other}, signed(FULL))
    assert found.codes == ["bad_signature"]
    assert found.rejects.row(0, named=True)["line"] == 2
    assert verdicts(found) == [True, True]
    assert found.records == 3


def test_what_was_taken_away_is_missed() -> None:
    without = {name: value for name, value in signed(FULL).items() if name != "fatal"}
    assert read(without).codes == ["bad_signature"]


def test_the_collector_may_add_its_own_words() -> None:
    received = {**signed(FULL), "received_at": NOW + 80, "isp": "AS-1", "country": "MA"}
    assert verdicts(read(received)) == [True]


def test_every_field_is_signed_or_named_as_the_collectors() -> None:
    assert {field.name for field in SIGNED} | UNSIGNED == {field.name for field in FIELDS}
    assert {field.name for field in SIGNED}.isdisjoint(UNSIGNED)


@pytest.mark.parametrize(
    "spelling",
    [
        pytest.param({"event_time": "2026-11-21T19:56:50.509Z"}, id="a time as text"),
        pytest.param({"error_code": 27}, id="a code as a number"),
        pytest.param({"bitrate_kbps": 4_500.0, "playback_rate": 15e-1}, id="a number in other digits"),
        pytest.param({"device": None, "isp": None, "app_version": ""}, id="nothing said"),
        pytest.param({"mood": "cosy"}, id="a field that is not known"),
    ],
)
def test_the_content_counts_and_not_its_spelling(spelling: dict[str, Json]) -> None:
    assert verdicts(read({**signed(FULL), **spelling})) == [True]


def test_a_signature_survives_the_way_into_parquet() -> None:
    records = [signed({**FULL, "sequence": n}) for n in range(3)]
    records[1]["position_ms"] = 240
    found = Read(as_parquet(records), keys=a_ring())
    assert found.codes == ["bad_signature"]
    assert verdicts(found) == [True, True]


@pytest.mark.parametrize(
    ("signature", "case"),
    [
        ("", "empty"),
        ("0" * 64, "zeros"),
        ("ß" * 64, "not ASCII"),
        ("ab", "short"),
        (str(signed(FULL)[SIGNATURE]).upper(), "capitals"),
    ],
)
def test_what_is_no_signature_fits_nothing(signature: str, case: str) -> None:
    found = read({**signed(FULL), SIGNATURE: signature})
    # Empty text says nothing, so that the record is unsigned; everything else is a signature that does not fit.
    assert (found.codes, verdicts(found)) == (([], [None]) if case == "empty" else (["bad_signature"], []))


def test_another_sessions_key_does_not_sign_for_this_one() -> None:
    """A replay under another session id is rejected: the session's own key is wanted."""
    stolen = {**signed(FULL), "session_id": "s-2"}
    assert read(stolen).codes == ["bad_signature"]


class TestRotation:
    OLD, NEW = a_key("old", until=NOW + 1_000), a_key("new", since=NOW - 1_000)
    RING = a_ring(OLD, NEW)

    def test_both_keys_are_good_while_one_takes_the_place_of_the_other(self) -> None:
        found = read(signed(FULL, self.OLD), signed({**FULL, "sequence": 8}, self.NEW), ring=self.RING)
        assert verdicts(found) == [True, True]

    @pytest.mark.parametrize(
        ("received_at", "verdict"),
        [(NOW + 999, True), (NOW + 1_000, None), (NOW - DAY, True), (NOW - DAY - 1, None)],
        ids=["last moment", "too late", "first moment", "too early"],
    )
    def test_a_key_is_good_in_its_time_by_the_servers_clock(self, received_at: int, verdict: bool | None) -> None:  # noqa: FBT001
        found = read({**signed(FULL, self.OLD), "received_at": received_at}, ring=self.RING)
        assert verdicts(found) == [verdict]
        assert found.ignored == ([] if verdict else [(KEY_ID, "expired_key", 1)])

    def test_without_a_time_of_receipt_the_record_says_when(self) -> None:
        found = read(signed({**FULL, "event_time": NOW + 1_000}, self.OLD), ring=self.RING)
        assert verdicts(found) == [None]

    def test_an_unknown_key_leaves_the_record_unsigned_and_is_counted(self) -> None:
        nameless = {name: value for name, value in signed(FULL).items() if name != KEY_ID}
        found = read(signed(FULL, a_key("foreign")), nameless, signed(a_beacon(), self.NEW), ring=self.RING)
        assert verdicts(found) == [None, None, True]
        assert found.ignored == [(KEY_ID, "unknown_key", 2)]
        assert found.codes == []


def test_without_keys_nothing_is_verified_and_nothing_is_lost() -> None:
    found = Read(jsonl([signed(FULL), {**signed(FULL), SIGNATURE: "0" * 64}]))
    assert found.events.height == 2
    assert verdicts(found) == [None, None]
    assert (found.codes, found.ignored) == ([], [])


def test_a_faulty_record_is_told_for_its_own_fault() -> None:
    broken = {**signed(FULL), "session_id": None}
    assert read(broken, {**signed(FULL), "height": "tall"}).codes == ["missing_field", "wrong_type"]


values = st.fixed_dictionaries(
    {"session_id": st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=20)},
    optional={
        "sequence": st.integers(0, 2**53),
        "content_id": st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=20),
        "bitrate_kbps": st.floats(0, 1e9).filter(lambda value: value == 0 or value >= 1e-4),
        "playback_rate": st.integers(-1_000, 1_000),
        "height": st.integers(0, 100_000),
        "fatal": st.booleans(),
        "state": st.sampled_from(["playing", "stalled", ""]),
    },
)


@examples(60)
@given(st.lists(values, min_size=1, max_size=20), st.data())
def test_whatever_a_player_signs_is_verified_and_nobody_elses_word_is(
    records: list[dict[str, Json]], data: st.DataObject
) -> None:
    beacons = [signed(whole_numbers({**record, "event_time": NOW + n})) for n, record in enumerate(records)]
    assert verdicts(read(*beacons)) == [True] * len(beacons)
    place = data.draw(st.integers(0, len(beacons) - 1))
    beacons[place] = {**beacons[place], "event_time": NOW + 100}
    assert read(*beacons).codes == ["bad_signature"]


def whole_numbers(record: dict[str, Json]) -> dict[str, Json]:
    """As JavaScript has them: 900.0 is 900."""
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value for name, value in record.items()
    }
