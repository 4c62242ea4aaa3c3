"""The committed fixtures hold what their stories say: nobody has changed one by hand and forgotten the other."""

import io
import zlib
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from tests.support.make_fixtures import FIXTURES, made

PLAYERS: Final = Path(__file__).parents[2] / "../shared/data/players"
RECORDED: Final = sorted((FIXTURES / "casablanca_night/telemetry").glob("*-*"))


def content(path: str, packed: bytes) -> bytes | pl.DataFrame:
    """What a file says, whichever version of a library packed it; a gzip stream may have broken off."""
    match path.rsplit(".", 1)[-1]:
        case "gz":
            return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS).decompress(packed)
        case "zst":
            return zstandard.ZstdDecompressor().decompress(packed)
        case "parquet":
            return pl.read_parquet(io.BytesIO(packed))
        case _:
            return packed


@pytest.mark.parametrize(
    ("path", "packed"),
    [pytest.param(*file, id=file[0]) for file in made().items() if "broke-off.parquet" not in file[0]],
)
def test_committed_fixtures_are_those_that_the_stories_make(path: str, packed: bytes) -> None:
    committed, told = content(path, (FIXTURES / path).read_bytes()), content(path, packed)
    if isinstance(committed, pl.DataFrame) and isinstance(told, pl.DataFrame):
        assert committed.equals(told)
    else:
        assert committed == told


def test_the_broken_parquet_file_has_lost_its_footer() -> None:
    broken = FIXTURES / "truncated_file/telemetry/broke-off.parquet"
    assert broken.read_bytes().startswith(b"PAR1")
    with pytest.raises(pa.ArrowInvalid, match="footer"):
        pq.ParquetFile(broken)


def test_no_file_is_left_over_from_another_story() -> None:
    stories = {path.split("/")[0] for path in made()}
    there = {file.relative_to(FIXTURES).as_posix() for name in stories for file in (FIXTURES / name).rglob("*.*")}
    assert {path for path in there if "/expected/" not in path} <= set(made())


@pytest.mark.skipif(not PLAYERS.is_dir(), reason="the recordings of real players do not lie beside the checkout")
@pytest.mark.parametrize("copy", RECORDED, ids=lambda path: path.name)
def test_recordings_are_copied_as_they_were(copy: Path) -> None:
    session, kind = copy.name.split(".")[:2]
    recorded = PLAYERS / session.replace("-", "/", 1) / f"{kind}.jsonl"
    assert content(copy.name, copy.read_bytes()) == recorded.read_bytes()
