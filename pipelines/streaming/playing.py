"""Telemetry of the past played into a folder as it once came: each line when its time is there, at any speed."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

from detectors.telemetry.arrow import is_arrow
from detectors.telemetry.containers import Container, sniff
from detectors.telemetry.decode import decode
from detectors.telemetry.documents import is_document
from pipelines.sources import find, open_source
from pipelines.streaming.clock import stream_times

HEAD_LINES: Final = 4
"""The lines that may say what a log is before its first record does."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of one file, and its stream time in milliseconds since the epoch."""

    moment: int
    file: str
    text: bytes


def lines_in_order(patterns: Iterable[str]) -> list[Line]:
    """All lines of text files by their time; a line without one keeps to the line before it.

    Raises:
      SourceError: A file is missing or cannot be read.
    """
    lines: list[Line] = []
    for source in find(list(patterns)):
        with open_source(source.path) as stream:
            lines += _timed(Path(source.path).name, stream.read())
    return sorted(lines, key=lambda line: line.moment)


def play(
    lines: Iterable[Line], into: Path, speed: float, now: Callable[[], float], wait: Callable[[float], None]
) -> None:
    """Appends each line to its file once its time is there; `now` and `wait` are in seconds."""
    into.mkdir(parents=True, exist_ok=True)
    began, first = now(), None
    for line in lines:
        first = line.moment if first is None else first
        due = began + (line.moment - first) / 1000 / speed
        if due > now():
            wait(due - now())
        with (into / line.file).open("ab") as file:
            file.write(line.text)


def _timed(name: str, content: bytes) -> Iterator[Line]:
    """The lines of one file. Each is decoded by itself, after the lines that say what the file is.

    A file that is not read by lines comes whole, when the last of it had come.
    """
    if sniff(content) is not Container.PLAIN or is_arrow(content) or is_document(content):
        yield Line(_moment(name, content) or 0, name, content)
        return
    texts = content.splitlines(keepends=True)
    head = b"".join(text for text in texts[:HEAD_LINES] if text.startswith(b"#"))
    moments = [_moment(name, text if text.startswith(b"#") else head + text) for text in texts]
    known = next((moment for moment in moments if moment is not None), 0)
    for text, moment in zip(texts, moments, strict=True):
        known = known if moment is None else moment
        yield Line(known, name, text)


def _moment(name: str, text: bytes) -> int | None:
    """The newest stream time in some lines."""
    times = [
        stream_times(frame)
        for decoded in decode(BytesIO(text), name)
        for frame in (decoded.events, decoded.scans, decoded.contacts)
        if frame.height
    ]
    return max((int(each.to_numpy().max()) for each in times), default=None)
