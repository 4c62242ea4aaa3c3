"""Last night's file and tonight's are one source: their names differ in dates, numbers and digests alone."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from remediation.guards.figures import InputRole, SourceFigures
from remediation.ledger.run import RunInput

_PACKED: Final = re.compile(r"\.(gz|zst|zstd)$", re.IGNORECASE)
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DIGEST: Final = re.compile(r"(?<![0-9a-z])(?=[a-f]*[0-9])[0-9a-f]{8,}(?![0-9a-z])", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[0-9]+")
_SEVERAL: Final = re.compile(r"#([-_.:T ]*#)+Z?", re.IGNORECASE)
_SAYS_NOTHING: Final = re.compile(r"(\w+=)?#?")
"""A folder that is a date or a number, also as `key=value`, and the empty part between two slashes."""


def source_name(path: str) -> str:
    """The file's name and the nearest folder that says more than a date, without dates, numbers and digests.

    `2026/11/24/eu/beacons-0001.jsonl.gz` and the next night's
    `2026/11/25/eu/beacons-0002.jsonl` are both `eu/beacons-#.jsonl`. Where the
    folders above lie changes nothing, so that a drive may move.
    """
    *folders, file = (_generalised(part) for part in path.split("/"))
    told = [folder for folder in folders if not _SAYS_NOTHING.fullmatch(folder) and not folder.endswith(":")]
    return "/".join([*told[-1:], file])


def by_source(inputs: Iterable[RunInput]) -> tuple[SourceFigures, ...]:
    """The files of a run by source, by role and name; the policy and the beacons' keys are none."""
    files: defaultdict[tuple[InputRole, str], list[RunInput]] = defaultdict(list)
    for item in inputs:
        if item.role != "policy" and item.role != "keys":  # noqa: PLR1714 mypy narrows only this spelling
            files[item.role, source_name(item.name)].append(item)
    return tuple(
        SourceFigures(
            role=role,
            name=name,
            files=len(of_source),
            bytes=sum(item.bytes for item in of_source),
            records=sum(item.rows for item in of_source),
        )
        for (role, name), of_source in sorted(files.items(), key=lambda each: each[0])
    )


def _generalised(part: str) -> str:
    part = _PACKED.sub("", part)
    for pattern in (_UUID, _DIGEST, _NUMBER):
        part = pattern.sub("#", part)
    return _SEVERAL.sub("#", part)
