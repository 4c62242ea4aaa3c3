"""What travels through Beam: Arrow batches of many events, never one event.

    events of one block          slices by session hash          what Beam groups
    ┌──────────────────┐         ┌──── partition 0 ────┐         (0, claim or bytes)
    │ a b c a d b e …  │  split  ├──── partition 1 ────┤  pack   (1, claim or bytes)
    └──────────────────┘ ──────► └────       …     ────┘ ──────► …

A session's events all meet in one partition. A slice travels as the bytes of an
Arrow stream; where all workers share this machine's disk, the bytes stay in a
spill file and only the claim to them is grouped, so that memory stays flat.
"""

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import polars as pl

from detectors.schemas import EVENTS

HASH_SEED: Final = 2012
"""Any fixed number: every worker must send a session to the same partition."""

CLAIM_PREFIX: Final = b"claim:"


def split(events: pl.DataFrame, partitions: int, key: str = "session_id") -> Iterator[tuple[int, pl.DataFrame]]:
    """The rows by partition of their key; partitions without rows are left out.

    Args:
      events: `schemas.EVENTS`, or another frame; columns that are null throughout may be absent.
      partitions: how many there are; at most 65,535.
      key: the text column whose values must each meet in one partition; never null.
    """
    if events.is_empty():
        return
    encoded = events.with_columns(pl.col(key).cast(pl.Categorical))
    # Ids repeat, so that hashing the distinct ones alone is many times cheaper.
    codes = encoded[key].to_physical().to_numpy()
    row_of_code = np.full(int(codes.max()) + 1, -1, dtype=np.int64)
    row_of_code[codes] = np.arange(len(codes))
    distinct = np.flatnonzero(row_of_code >= 0)
    ids = encoded[key].gather(row_of_code[distinct]).cast(pl.String)
    partition_of_code = np.zeros(len(row_of_code), dtype=np.uint16)
    partition_of_code[distinct] = (ids.hash(HASH_SEED) % partitions).to_numpy()
    partition = partition_of_code[codes]
    order = np.argsort(partition, kind="stable")
    grouped = encoded[order]
    starts = np.searchsorted(partition[order], np.arange(partitions + 1))
    for number in range(partitions):
        length = int(starts[number + 1] - starts[number])
        if length:
            yield number, grouped.slice(int(starts[number]), length)


def pack(frame: pl.DataFrame, compression: Literal["uncompressed", "lz4"] = "uncompressed") -> bytes:
    """The frame as an Arrow stream; columns that are null throughout stay behind."""
    buffer = io.BytesIO()
    filled = frame.select(name for name in frame.columns if frame[name].null_count() < frame.height)
    filled.write_ipc_stream(buffer, compression=compression)
    return buffer.getvalue()


def unpack(payloads: Iterable[bytes], schema: pl.Schema = EVENTS) -> pl.DataFrame:
    """The frames of many payloads, claims redeemed, as one; without a payload an empty one of `schema`."""
    frames = [pl.read_ipc_stream(io.BytesIO(_redeem(payload))) for payload in payloads]
    return pl.concat(frames, how="diagonal") if frames else pl.DataFrame(schema=schema)


@dataclass(frozen=True)
class Spill:
    """A folder on the disk that all workers of this run share.

    One file a block: the packed slices one after another. A block that is read
    again after a failure writes the same file again.
    """

    folder: str

    def write(self, name: str, slices: Mapping[int, bytes]) -> Iterator[tuple[int, bytes]]:
        """Writes the slices of one block and yields the claim to each, by partition."""
        path = Path(self.folder) / f"{name}.arrow"
        offset = 0
        with path.open("wb") as file:
            for partition, payload in slices.items():
                file.write(payload)
                yield partition, CLAIM_PREFIX + json.dumps([str(path), offset, len(payload)]).encode()
                offset += len(payload)


def _redeem(payload: bytes) -> bytes:
    if not payload.startswith(CLAIM_PREFIX):
        return payload
    path, offset, length = json.loads(payload[len(CLAIM_PREFIX) :])
    with Path(path).open("rb") as file:
        file.seek(offset)
        return file.read(length)
