from pathlib import Path

import apache_beam as beam
import pytest

from detectors.telemetry.keys import MAX_BYTES, KeyRingError
from pipelines.engine import run
from pipelines.parts import Parts, WriteParts
from pipelines.sessions import ReadTelemetry
from pipelines.sources import SourceError, find, open_source, read_key_ring, sha256, total_bytes
from tests.detectors.telemetry.reading import a_beacon, jsonl
from tests.detectors.telemetry.signing import a_ring, signed


def a_folder(tmp_path: Path) -> Path:
    for name in ("b.jsonl", "a.jsonl", "deep/c.jsonl", ".hidden.jsonl", ".cache/d.jsonl"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("12345")
    return tmp_path


def names(patterns: list[str], below: Path) -> list[str]:
    return [source.path.removeprefix(f"{below}/") for source in find(patterns)]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        pytest.param("", ["a.jsonl", "b.jsonl", "deep/c.jsonl"], id="a folder: all below it but what is hidden"),
        pytest.param("/", ["a.jsonl", "b.jsonl", "deep/c.jsonl"], id="a folder with a slash"),
        pytest.param("/a.jsonl", ["a.jsonl"], id="a file"),
        pytest.param("/*.jsonl", ["a.jsonl", "b.jsonl"], id="a glob"),
        pytest.param("/*", ["a.jsonl", "b.jsonl"], id="a glob that meets a folder"),
        pytest.param("/.hidden.jsonl", [".hidden.jsonl"], id="a hidden file that is spelt out"),
    ],
)
def test_paths_folders_and_globs(tmp_path: Path, pattern: str, found: list[str]) -> None:
    folder = a_folder(tmp_path)
    assert names([f"{folder}{pattern}"], folder) == found


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    sources = find([str(folder), str(folder / "a.jsonl")])
    assert [source.number for source in sources] == [0, 1, 2]
    assert total_bytes(sources) == 15


@pytest.mark.parametrize("name", ["nothing-here", "*.parquet", "empty"])
def test_a_source_without_a_file_is_an_error_that_names_it(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=r"no file is there; name an existing file, folder or glob"):
        find([str(tmp_path / name)])


def test_a_file_that_vanished_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"gone\.jsonl: cannot be opened"):
        open_source(str(tmp_path / "gone.jsonl"))


def test_the_digest_is_of_the_bytes(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"abc")
    assert sha256(str(file)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


class TestKeyRing:
    KEY = '[[key]]\nid = "k-1"\nsecret = "{}"\nvalid_from = 2026-11-01T00:00:00Z\nvalid_until = 2026-12-01T00:00:00Z\n'

    def test_a_file_is_read_and_none_is_no_error(self, tmp_path: Path) -> None:
        file = tmp_path / "keys.toml"
        file.write_text(self.KEY.format("0f" * 32))
        ring = read_key_ring(str(file))
        assert ring is not None
        assert set(ring.keys) == {"k-1"}
        assert read_key_ring(None) is None

    def test_what_is_wrong_is_said_without_the_secret(self, tmp_path: Path) -> None:
        file = tmp_path / "keys.toml"
        file.write_text(self.KEY.format("secret"))
        with pytest.raises(KeyRingError, match=r"keys\.toml: key number 1 secret: must be 64") as raised:
            read_key_ring(str(file))
        assert "is secret" not in str(raised.value)
        with pytest.raises(SourceError, match="cannot be opened"):
            read_key_ring(str(tmp_path / "nowhere.toml"))

    def test_another_file_named_by_mistake_is_not_read_to_its_end(self, tmp_path: Path) -> None:
        file = tmp_path / "night.jsonl"
        file.write_bytes(b"#" * (MAX_BYTES + 5))
        with pytest.raises(KeyRingError, match=f"has {MAX_BYTES + 1} bytes"):
            read_key_ring(str(file))


def test_signed_beacons_are_verified_on_their_way_in(tmp_path: Path) -> None:
    good, forged = signed(a_beacon()), {**signed(a_beacon(session_id="s-2")), "state": "stalled"}
    (tmp_path / "beacons.jsonl").write_bytes(jsonl([good, forged]))
    sources = find([str(tmp_path / "beacons.jsonl")])

    def build(pipeline: beam.Pipeline) -> None:
        read = pipeline | beam.Create(sources) | ReadTelemetry(1, 1, None, a_ring())
        batches = read.batches | beam.MapTuple(lambda _, batch: ("events", batch[1]))
        (batches, read.rejects) | beam.Flatten() | "Write" >> WriteParts(str(tmp_path / "parts"), "read")

    run(build, ())
    frames = {frame.columns[0]: frame for frame in Parts(str(tmp_path / "parts")).frames("read")}
    assert frames["session_id"].select("session_id", "signed").rows() == [("s-1", True)]
    assert frames["source"]["code"].to_list() == ["bad_signature"]
