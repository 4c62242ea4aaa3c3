import pytest

from remediation.guards.figures import SourceFigures
from remediation.guards.sources import by_source, source_name
from remediation.ledger.run import Role, RunInput


@pytest.mark.parametrize(
    ("last_night", "tonight", "name"),
    [
        pytest.param("beacons-2026-11-24.jsonl", "beacons-2026-11-25.jsonl", "beacons-#.jsonl", id="a date"),
        pytest.param("b/2026-11-24T06:00:00Z.jsonl", "b/2026-11-25T05:59:58Z.jsonl", "b/#.jsonl", id="a moment"),
        pytest.param("/in/eu/2026/11/24/b.jsonl", "/in/eu/2026/12/1/b.jsonl", "eu/b.jsonl", id="folders by date"),
        pytest.param("/in/eu/dt=2026-11-24/b.jsonl", "/in/eu/dt=2026-11-25/b.jsonl", "eu/b.jsonl", id="key and date"),
        pytest.param("eu/part-00007-ab12cd34.parquet", "eu/part-1-0f9e8d7c.parquet", "eu/part-#.parquet", id="digest"),
        pytest.param(
            "eu/3f2b8c1e-9d4a-4bcd-8e1f-aabbccddeeff.parquet",
            "eu/00000000-9d4a-4bcd-8e1f-fedcba987654.parquet",
            "eu/#.parquet",
            id="a uuid",
        ),
        pytest.param("b.jsonl", "b.jsonl.gz", "b.jsonl", id="packed since"),
        pytest.param("/old/drive/eu/b.jsonl", "s3://bucket/new/eu/b.jsonl", "eu/b.jsonl", id="moved"),
        pytest.param("s3://b.jsonl", "b.jsonl", "b.jsonl", id="only a scheme above"),
    ],
)
def test_last_nights_file_and_tonights_are_one_source(last_night: str, tonight: str, name: str) -> None:
    assert source_name(last_night) == source_name(tonight) == name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("eu/2026-11-24/b.jsonl", "us/2026-11-24/b.jsonl", id="another folder above the date"),
        pytest.param("eu/beacons.jsonl", "eu/scans.jsonl", id="another name"),
        pytest.param("eu/b.jsonl", "eu/b.parquet", id="another format"),
        pytest.param("fabaceae/b.jsonl", "deadbeef/b.jsonl", id="words that are also hexadecimal"),
    ],
)
def test_what_differs_in_words_is_another_source(one: str, other: str) -> None:
    assert source_name(one) != source_name(other)


def an_input(role: Role, name: str, rows: int) -> RunInput:
    return RunInput(role, name, 100 * rows, "ab" * 32, rows)


def test_the_files_of_a_source_are_added_up_and_the_policy_is_none() -> None:
    inputs = [
        an_input("telemetry", "in/beacons-2.jsonl", 20),
        an_input("policy", "policy.toml", 1),
        an_input("telemetry", "in/beacons-1.jsonl.gz", 10),
        an_input("orders", "in/beacons-1.jsonl", 5),
    ]
    sources = (
        SourceFigures("orders", "in/beacons-#.jsonl", 1, 500, 5),
        SourceFigures("telemetry", "in/beacons-#.jsonl", 2, 3_000, 30),
    )
    assert by_source(inputs) == by_source(inputs[::-1]) == sources
