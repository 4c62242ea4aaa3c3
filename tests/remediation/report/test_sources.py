from remediation.report.sources import source_rows
from tests.remediation.guards.nights import a_night, a_source, weeks
from tests.remediation.report.nights import a_backdrop

PARCELS = a_source(name="scans.jsonl", records=900)
USUAL = (a_source(), PARCELS)


def test_a_source_that_did_not_come_stands_first() -> None:
    rows = source_rows(a_backdrop(a_night(sources=(a_source(),)), weeks(sources=USUAL)))
    assert [(row.role, row.name, row.files, row.records, row.usual, row.verdict, row.wrong) for row in rows] == [
        ("telemetry", "scans.jsonl", "0", "0", "900", "did not come", True),
        ("telemetry", "beacons-#.jsonl", "1", "400,000", "400,000", "came", False),
    ]


def test_a_source_that_is_empty_or_far_too_small_says_so() -> None:
    def verdict(records: int) -> str:
        tonight = a_night(sources=(a_source(), a_source(name="scans.jsonl", records=records)))
        return {row.name: row.verdict for row in source_rows(a_backdrop(tonight, weeks(sources=USUAL)))}["scans.jsonl"]

    assert (verdict(0), verdict(3_000), verdict(901)) == ("empty", "came, out of the ordinary", "came")


def test_on_the_first_night_nothing_is_usual() -> None:
    assert {(row.usual, row.verdict) for row in source_rows(a_backdrop())} == {("", "came")}
