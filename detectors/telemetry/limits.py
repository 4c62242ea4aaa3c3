"""Bounds on what a file may ask of the decoder."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of anything is believed; what lies beyond becomes a reject.

    Bytes are counted after decompression unless the name says otherwise.
    """

    record_bytes: int = 64 * 1024  # one line; a beacon is a few hundred bytes
    document_bytes: int = 32 * 1024 * 1024  # a file that is one JSON document is held in memory
    element_bytes: int = 8 * 1024 * 1024  # one element of it: its objects take thirty times its bytes
    id_characters: int = 200  # ids and every other text field
    nesting: int = 32  # brackets within brackets of one JSON record
    earliest_ms: int = 946_684_800_000  # 2000-01-01: before streaming, so a broken clock
    latest_ms: int = 4_102_444_800_000  # 2100-01-01
    block_bytes: int = 16 * 1024 * 1024  # text decoded at once
    block_lines: int = 256 * 1024  # lines decoded at once: sixty bytes a line and more, were they no attack
    block_rows: int = 512 * 1024  # Parquet rows decoded at once
    # Telemetry text shrinks 10 to 40 times; gzip bombs reach 1,028:1 and Parquet ones 1,750:1.
    expansion_ratio: int = 250
    expansion_floor_bytes: int = 64 * 1024 * 1024  # small files may expand more: a bomb needs size
    expansion_floor_rows: int = 1_000_000  # the same for Parquet rows that take no space on disk
    page_bytes: int = 64 * 1024 * 1024  # one page of Parquet; writers aim at one megabyte
    parquet_block_bytes: int = 128 * 1024 * 1024  # pages whose rows are decoded at once
    wrapped_parquet_bytes: int = 256 * 1024 * 1024  # a Parquet file inside gzip or zstd is held in memory
    distinct_fields: int = 1_000  # kinds of ignored fields named for one source
    listed_rejects: int = 10_000  # bad records named one by one for one source; nobody reads more
    # A file of rubbish costs some microseconds a line: after this many it has had its chance.
    rejected_floor_records: int = 1_000_000
    rejected_ratio: float = 0.9


DEFAULT_LIMITS: Final = Limits()
