"""What the word of a failing session is worth, as its findings tell it."""

import pickle
from dataclasses import replace

import msgspec
import polars as pl
import pytest

from detectors.finding import Finding, Provenance
from detectors.playback.failures import findings
from detectors.playback.sessions import sessionize
from detectors.schemas import SESSIONS_WITH_EVIDENCE, Channel, complete
from tests.detectors.playback.evenings import RULES, a_course, frame
from tests.detectors.playback.reference import Record
from tests.detectors.playback.visits import EVENING, a_bad_visit, clock_set, renamed

BAD = a_bad_visit()
COLUMNS = ("received_at", "attested_ms", "signed", "corroborated", "contradicted", "doubts", "fingerprints")


def found(records: list[Record]) -> list[Finding]:
    return list(findings(sessionize(frame(records), RULES).sessions, RULES))


def word(records: list[Record]) -> Provenance:
    """What the word on the stalls of the only session is worth."""
    return next(finding.provenance for finding in found(records) if finding.kind == "playback_stalls")


def all_signed(records: list[Record]) -> list[Record]:
    return [replace(record, signed=True) for record in records]


def test_a_finding_says_when_the_visit_was_and_when_it_was_last_heard_of() -> None:
    told = word(BAD)
    assert (told.started_at, told.ended_at) == (BAD[0].event_time, BAD[-1].event_time)
    assert told.received_at == max(record.received_at or 0 for record in BAD)
    assert told.attested_ms == BAD[-1].event_time - BAD[0].event_time
    assert len(told.fingerprints) == 4
    assert (told.signed, told.corroborated, told.doubts, told.granted_at) == (False, None, (), None)


def test_times_are_the_servers_where_the_players_clock_is_wrong() -> None:
    slow = [replace(record, event_time=record.event_time - 7_200_000) for record in BAD]
    assert word(slow).started_at == pytest.approx(EVENING, abs=500)


def test_silence_attests_nothing() -> None:
    """A player that tells of changes alone may be silent for long without having slept."""
    course = "0 starting, 1 playing, 31 stalled, 51 playing, 82 stalled, 92 playing, 99 ended"
    assert word(a_course(course)).attested_ms == 99_000 - 31_000


def test_the_clock_set_forward_attests_nothing() -> None:
    silent = clock_set((12, 40_000))(BAD)
    assert word(silent).attested_ms == (word(BAD).attested_ms or 0) - (
        silent[12].event_time - silent[11].event_time - 40_000
    )


def test_a_session_without_a_timeline_attests_nothing_and_is_not_taken_for_its_neighbour() -> None:
    """A start that only a request told of."""
    told = [
        Record(name, EVENING, channel=Channel.CMCD_REQUEST, received_at=EVENING, startup_ms=9_000)
        for name in ("r", "t")
    ]
    by_session = {finding.subject.id: finding.provenance for finding in found([told[0], *all_signed(BAD), told[1]])}
    for name in ("r", "t"):
        silent = by_session[name]
        assert (silent.attested_ms, silent.signed, silent.fingerprints) == (0, False, ())
    assert by_session["s"] == word(all_signed(BAD))


def test_it_travels_with_its_finding() -> None:
    """Through the graph as JSON, and by pickle between workers."""
    told = tuple(found(all_signed(BAD)))
    assert msgspec.json.decode(msgspec.json.encode(told), type=tuple[Finding, ...]) == told
    assert pickle.loads(pickle.dumps(told)) == told  # noqa: S301 - our own


def test_unknown_is_not_zero() -> None:
    assert word([replace(record, received_at=None) for record in BAD]).received_at is None


class TestSigned:
    def test_every_record_of_the_timeline_must_be(self) -> None:
        assert word(all_signed(BAD)).signed
        assert not word([*all_signed(BAD[:-1]), BAD[-1]]).signed

    def test_witnesses_need_no_signature(self) -> None:
        line = Record("s", EVENING + 5_000, channel=Channel.ACCESS_LOG, received_at=EVENING + 5_000)
        assert word([*all_signed(BAD), line]).signed

    def test_an_unsigned_copy_neither_takes_the_place_of_a_signed_record_nor_its_trust(self) -> None:
        early = [replace(record, state="stalled", received_at=record.event_time) for record in BAD[5:9]]
        assert word([*all_signed(BAD), *early]) == word(all_signed(BAD))
        unnumbered = [replace(record, sequence=None) for record in BAD]
        assert word([*unnumbered[3:6], *all_signed(unnumbered)]).signed


def test_all_rows_of_a_session_id_speak_together() -> None:
    """The session fell silent for hours; a doubt about one part of it is a doubt about the other."""
    again = [
        replace(
            r, event_time=r.event_time + 36_000_000, received_at=(r.received_at or 0) + 36_000_000, sequence=n + 100
        )
        for n, r in enumerate(a_bad_visit(2, stalls=20))
    ]
    whole = all_signed([*BAD, replace(again[0], playback_rate=999.0), *again[1:]])
    told = word(whole)
    assert told.doubts == ("absurd_figures",)
    assert (told.started_at, told.ended_at) == (BAD[0].event_time, again[-1].event_time)
    assert set(told.fingerprints) == {*word(BAD).fingerprints, *word(again).fingerprints}
    assert told.received_at == max(record.received_at or 0 for record in again)
    assert told.signed
    assert not word([*whole[:-1], replace(whole[-1], signed=None)]).signed


def test_who_is_contradicted_in_one_failure_is_believed_in_none() -> None:
    sessions = sessionize(frame(BAD), RULES).sessions
    both = sessions.with_columns(
        pl.Series("failures", [["playback_stalls", "slow_start"]]), startup_ms=pl.lit(12_000, pl.Int64)
    )

    def told(corroborated: list[str], contradicted: list[str]) -> dict[str, bool | None]:
        lists = {"corroborated": [corroborated], "contradicted": [contradicted]}
        said = both.with_columns(pl.Series(name, each, dtype=pl.List(pl.String)) for name, each in lists.items())
        return {finding.kind: finding.provenance.corroborated for finding in findings(said, RULES)}

    assert told([], []) == {"playback_stalls": None, "slow_start": None}
    assert told(["slow_start"], []) == {"playback_stalls": None, "slow_start": True}
    assert told(["slow_start"], ["playback_stalls"]) == {"playback_stalls": False, "slow_start": False}


def test_of_what_did_not_fail_nobody_asks() -> None:
    well = [replace(r, state="playing" if r.state == "stalled" else r.state, session_id="well") for r in BAD]
    sessions = sessionize(frame([*well, *renamed(BAD, "bad"), *renamed(well, "yet")]), RULES).sessions
    assert sessions["session_id"].to_list() == ["bad", "well", "yet"]
    assert sessions.select(COLUMNS).select(pl.all().is_null()).rows() == [(False,) * 7, (True,) * 7, (True,) * 7]


def test_sessions_that_tell_nothing_of_themselves_are_unsigned_and_not_borne_out() -> None:
    """As of a table that was written before there was any provenance."""
    bare = complete(sessionize(frame(BAD), RULES).sessions.drop(COLUMNS), SESSIONS_WITH_EVIDENCE)
    (finding,) = findings(bare, RULES)
    assert finding.provenance == Provenance(
        started_at=BAD[0].event_time, ended_at=BAD[-1].event_time, received_at=None, attested_ms=0
    )
