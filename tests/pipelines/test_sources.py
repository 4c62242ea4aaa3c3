from pathlib import Path

import pytest

from pipelines.sources import SourceError, find, open_source, sha256, total_bytes


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
