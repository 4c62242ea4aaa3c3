"""Files made to burst, to hang or to confuse, each with what must come of it and of its good neighbours."""

import gzip
import io
import json
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from detectors.telemetry.limits import Limits
from tests.detectors.telemetry.reading import NOW, Json, a_beacon, a_report, a_scan, jsonl
from tests.prove.figures import RELEASE, sized
from tests.remediation.ledger.evenings import an_order

MB: Final = 1024 * 1024
SIZE: Final = sized(2, 16) * MB
"""How much text a bomb of text is made of."""

LIMITS: Final = (
    Limits()
    if RELEASE
    else Limits(
        block_bytes=2 * MB,
        block_lines=16 * 1024,
        document_bytes=4 * MB,
        element_bytes=MB,
        expansion_floor_bytes=8 * MB,
        rejected_floor_records=20_000,
        page_bytes=8 * MB,
        parquet_block_bytes=8 * MB,
        wrapped_parquet_bytes=32 * MB,
    )
)
"""On every change the same bombs at an eighth, against limits of an eighth."""

GROWTH_MB: Final = sized(300, 900)
"""What reading any file may take at most; the libraries' own buffers are some forty of it."""

GOOD: Final = jsonl([a_beacon(session_id="s-good", state="playing")])
RECORD_BYTES: Final = 60_000
"""A line of nearly the length that is still read."""


@dataclass(frozen=True)
class Bomb:
    """A file, the codes of its rejects (all of them, no others), and how many of its records are of use."""

    make: Callable[[], bytes]
    codes: frozenset[str]
    used: int = 0


def bomb(make: Callable[[], bytes], *codes: str, used: int = 0) -> Bomb:
    return Bomb(make, frozenset(codes), used)


def filled(unit: bytes, size: int = SIZE) -> bytes:
    """So many bytes of the same."""
    return unit * (size // len(unit))


def between(*lines: bytes) -> bytes:
    """Lines with a good beacon before and behind them."""
    return GOOD + b"".join(line + b"\n" for line in lines) + GOOD


def a_line(**fields: Json) -> bytes:
    return json.dumps(a_beacon(**fields)).encode()


def with_value(value: bytes, field: str = "x") -> bytes:
    """A beacon of which one member is written as it stands."""
    return json.dumps(a_beacon()).encode()[:-1] + b',"' + field.encode() + b'":' + value + b"}"


# Containers


def zstd(data: bytes, window_log: int = 20) -> bytes:
    how = zstandard.ZstdCompressionParameters.from_level(3, window_log=window_log)
    return zstandard.ZstdCompressor(compression_params=how).compress(data)


def gzip_of(unit: bytes, megabytes: int) -> bytes:
    """A good beacon and then so much of the same, compressed once and repeated: the checksum is never reached."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = deflate.compress(GOOD) + deflate.flush(zlib.Z_FULL_FLUSH)
    once = deflate.compress(filled(unit, MB)) + deflate.flush(zlib.Z_FULL_FLUSH)
    return head + once * megabytes


def zstd_of(unit: bytes, megabytes: int) -> bytes:
    return zstd(GOOD) + zstd(filled(unit, MB)) * megabytes


def nested_gzip() -> bytes:
    data = GOOD
    for _ in range(20):
        data = gzip.compress(data)
    return data


def zstd_frame(descriptor: int, rest: bytes) -> bytes:
    """A frame's header and an empty block. Source: RFC 8878, section 3.1.1.1."""
    return b"\x28\xb5\x2f\xfd" + bytes([descriptor]) + rest + b"\x01\x00\x00"


CONTAINERS: Final[Mapping[str, Bomb]] = {
    "gzip 1000:1": bomb(lambda: gzip_of(b"\0", sized(100, 400)), "decompression_bomb", "record_too_long", used=1),
    "gzip of line feeds": bomb(lambda: gzip_of(b"\n", sized(40, 400)), "decompression_bomb", used=1),
    "gzip of empty objects": bomb(lambda: gzip_of(b"{}\n", sized(40, 400)), "mostly_rejected", "missing_field", used=1),
    "gzip in gzip": bomb(nested_gzip, "not_recognised"),
    "gzip of a million members": bomb(
        lambda: gzip.compress(GOOD) + gzip.compress(b"", mtime=0) * sized(100_000, 1_000_000) + gzip.compress(GOOD),
        used=2,
    ),
    "gzip cut": bomb(lambda: gzip.compress(GOOD * 2_000)[:-9], "truncated_file", used=2_000),
    "gzip damaged": bomb(lambda: gzip.compress(GOOD) + gzip.compress(GOOD)[:-8] + bytes(8), "corrupt_file", used=1),
    "gzip and rubbish": bomb(lambda: gzip.compress(GOOD) + b"\x1f\x8b\x09" + bytes(range(200)), "corrupt_file", used=1),
    "gzip with an endless name": bomb(lambda: b"\x1f\x8b\x08\x08" + bytes(6) + filled(b"n"), "truncated_file"),
    "zstd 10000:1": bomb(lambda: zstd_of(b"\0", sized(100, 400)), "decompression_bomb", "record_too_long", used=1),
    "zstd of empty objects": bomb(lambda: zstd_of(b"{}\n", sized(40, 400)), "mostly_rejected", "missing_field", used=1),
    "zstd of a huge window": bomb(lambda: zstd_frame(0b0, b"\xf8"), "corrupt_file"),
    "zstd of a declared exabyte": bomb(lambda: zstd_frame(0b11100000, struct.pack("<Q", 2**60)), "corrupt_file"),
    "zstd of a million frames": bomb(lambda: zstd(GOOD) + zstd(b"") * sized(100_000, 1_000_000) + zstd(GOOD), used=2),
    "zstd with an endless gap": bomb(
        lambda: zstd(GOOD) + b"\x50\x2a\x4d\x18\xff\xff\xff\xff", "truncated_file", used=1
    ),
    "zstd cut": bomb(lambda: (zstd(GOOD) * 100)[:-20], "truncated_file", used=99),
}


# Lines


def newer_fields() -> bytes:
    """Lines each of which has a field that no other has."""
    return b"".join(with_value(b"1", f"u{number}") + b"\n" for number in range(SIZE // 80))


LINES: Final[Mapping[str, Bomb]] = {
    "an endless line": bomb(lambda: between(filled(b"x", 3 * SIZE)), "record_too_long", used=2),
    "a file without a line feed": bomb(lambda: filled(b"{", 3 * SIZE), "record_too_long"),
    "lines of one letter": bomb(lambda: GOOD + filled(b"x\n"), "not_json", "mostly_rejected", used=1),
    "lines of an empty object": bomb(lambda: GOOD + filled(b"{}\n"), "missing_field", "mostly_rejected", used=1),
    "blank lines": bomb(lambda: GOOD + filled(b"\n") + filled(b" \t\r\n") + GOOD, used=2),
    "a field of its own for every line": bomb(newer_fields, used=SIZE // 80),
    "depth of ten thousand": bomb(
        lambda: between(*[with_value(b"[" * 20_000 + b"]" * 20_000)] * 20), "too_deep", used=2
    ),
    "depth without an end": bomb(lambda: between(*[with_value(b'{"a":' * 10_000)] * 20), "too_deep", used=2),
    "quotes without an end": bomb(
        lambda: between(*[b'{"session_id":"' + b"[" * 40 + b'\\"' * (RECORD_BYTES // 2)] * 40), "not_json", used=2
    ),
    "a number of sixty thousand digits": bomb(
        lambda: between(with_value(b"9" * RECORD_BYTES, "sequence"), with_value(b"9" * 4_000, "event_code")),
        "number_too_long",
        used=2,
    ),
    "a number beyond any other": bomb(
        lambda: between(*[with_value(b"1e400", "buffer_ms")] * 40), "number_too_long", used=2
    ),
    "not a number": bomb(
        lambda: between(*(with_value(odd, "buffer_ms") for odd in (b"NaN", b"Infinity", b"-Infinity"))),
        "not_json",
        used=2,
    ),
    "a key twice": bomb(lambda: between(with_value(b'"s-2"', "session_id")), "duplicate_key", used=2),
    "a key twice among thousands": bomb(
        lambda: between(*[b"{" + b",".join(b'"%x":1' % number for number in (*range(7_000), 6_999)) + b"}"] * 20),
        "duplicate_key",
        used=2,
    ),
    "bytes that are not UTF-8": bomb(
        lambda: between(with_value(b'"\xff\xfe"', "cdn"), b"\x80" * 500), "not_utf8", used=2
    ),
    "UTF-16": bomb(lambda: GOOD.decode().encode("utf-16") * 50, "not_recognised"),
    "UTF-8 with a mark": bomb(lambda: b"\xef\xbb\xbf" + GOOD * 3, used=3),
    "half a character": bomb(lambda: between(with_value(b'"\\ud800"', "cdn")), "lone_surrogate", used=2),
    "NUL in a text": bomb(
        lambda: between(with_value(b'"a\\u0000b"', "cdn"), with_value(b'"a\0b"', "cdn")),
        "control_character",
        "not_json",
        used=2,
    ),
    "nothing but NUL": bomb(lambda: filled(b"\0"), "record_too_long"),
}


# CMCD, access logs, carriers


def a_collected(cmcd: str) -> bytes:
    return json.dumps(a_report(cmcd)).encode()


def a_tracker_of(details: bytes, times: int) -> bytes:
    return b'{"object":"Tracker","tracking_code":"1Z-1","tracking_details":[' + b",".join([details] * times) + b"]}"


TRACKERS: Final = sized(4, 250)
REPORT: Final = jsonl([a_report("e=ps,sta=p")])
FORMATS: Final[Mapping[str, Bomb]] = {
    "CMCD of open quotes": bomb(
        lambda: REPORT + (a_collected('a="' + ',a=(\\"' * 7_000) + b"\n") * 15 + REPORT, "not_cmcd", used=2
    ),
    "CMCD of a quote that closes at the end": bomb(
        lambda: REPORT + (a_collected('a="' + ',a=(\\"' * 7_000 + '"x') + b"\n") * 15 + REPORT, "not_cmcd", used=2
    ),
    "CMCD of blanks": bomb(  # its other keys are of use
        lambda: REPORT + (a_collected("br=" + " " * 40_000 + '"') + b"\n") * 15 + REPORT, used=17
    ),
    "CMCD of commas": bomb(
        lambda: REPORT + (a_collected("," * RECORD_BYTES) + b"\n") * (SIZE // RECORD_BYTES) + REPORT, "not_cmcd", used=2
    ),
    "CMCD of a million keys": bomb(
        lambda: REPORT + (a_collected("a," * (RECORD_BYTES // 2) + "e=t") + b"\n") * (SIZE // RECORD_BYTES),
        used=1 + SIZE // RECORD_BYTES,
    ),
    "CMCD of a later version": bomb(
        lambda: b'e=ps,sid="s",ts=%d\n' % NOW + filled(b"v=3\n", sized(SIZE // 8, SIZE // 3)),
        "unknown_version",
        "mostly_rejected",
        used=1,
    ),
    "a log of endless columns": bomb(
        lambda: b"#Fields: " + b"a " * 30_000 + b"\n" + (b"-\t" * 20_000 + b"\n") * 10, "wrong_type"
    ),
    "scans that are numbers": bomb(
        lambda: (a_tracker_of(b"1", RECORD_BYTES // 2) + b"\n") * TRACKERS, "not_an_object", "mostly_rejected"
    ),
    "scans of nothing": bomb(
        lambda: (a_tracker_of(b"{}", RECORD_BYTES // 3) + b"\n") * TRACKERS, "missing_field", "mostly_rejected"
    ),
    "scans of a time that is none": bomb(
        lambda: (a_tracker_of(b'{"datetime":"x"}', RECORD_BYTES // 17) + b"\n") * (4 * TRACKERS),
        "bad_time",
        "mostly_rejected",
    ),
}


# Documents


def a_document(elements: bytes) -> bytes:
    return b"[" + json.dumps(a_scan()).encode() + b",\n" + elements + b"]"


DOCUMENTS: Final[Mapping[str, Bomb]] = {
    "a document of brackets": bomb(lambda: filled(b"[", LIMITS.document_bytes), "truncated_file"),
    "a document of millions of numbers": bomb(
        lambda: a_document(filled(b"1,", LIMITS.document_bytes - 500) + b"1"),
        "not_an_object",
        "mostly_rejected",
        used=1,
    ),
    "a document of millions of objects": bomb(
        lambda: a_document(filled(b"{},", LIMITS.document_bytes - 500) + b"{}"),
        "missing_field",
        "mostly_rejected",
        used=1,
    ),
    "an element as large as the document": bomb(
        lambda: a_document(b'{"tracking_number":"' + b"[" * 40 + filled(b"x", LIMITS.document_bytes // 2) + b'"}'),
        "record_too_long",
        used=1,
    ),
    "an element of escapes": bomb(
        lambda: a_document(b'{"tracking_number":"' + filled(b'\\"', LIMITS.document_bytes // 2)),
        "truncated_file",
        used=1,
    ),
    "an element of keys, one of them twice": bomb(
        lambda: a_document(b"{" + b",".join(b'"%x":1' % number for number in (*range(90_000), 89_999)) + b"}"),
        "duplicate_key",
        used=1,
    ),
    "a document without an end": bomb(
        lambda: a_document(filled(b"{},", 2 * LIMITS.document_bytes)), "missing_field", "mostly_rejected", used=1
    ),
    "a document of one text without an end": bomb(
        lambda: a_document(b'{"a":"' + filled(b"x", 2 * LIMITS.document_bytes)), "document_too_long", used=1
    ),
}


# Parquet


def parquet(columns: Mapping[str, object] | None = None, rows: int = 1, **how: Any) -> bytes:
    """The columns beside what a beacon must have."""
    required: dict[str, object] = {"session_id": ["s"] * rows, "event_time": pa.array(np.full(rows, NOW))}
    stream = io.BytesIO()
    pq.write_table(pa.table(required | dict(columns or {})), stream, **({"compression": "zstd"} | how))
    return stream.getvalue()


def repeated(value: object, type_: pa.DataType, rows: int) -> "pa.DictionaryArray[Any, Any]":
    return pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), pa.array([value], type_))


def varint(number: int, length: int = 0) -> bytes:
    """A zigzag number in Thrift's compact form; a longer form than needed means the same."""
    rest, written = number << 1, bytearray()
    while rest or not written:
        written.append(rest & 0x7F | 0x80)
        rest >>= 7
    written += b"\x80" * (length - len(written))
    written[-1] &= 0x7F
    return bytes(written)


def forged(data: bytes) -> bytes:
    """The file, its first row group claiming to hold a thousand bytes."""
    true = varint(pq.ParquetFile(io.BytesIO(data)).metadata.row_group(0).total_byte_size)
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    return data[:footer] + data[footer:].replace(true, varint(1_000, len(true)))


def one_long_text(megabytes: int) -> bytes:
    text = pa.array(["x" * (megabytes * MB)], pa.large_string())
    return parquet({"cdn": text}, use_dictionary=False)


def distinct_texts(count: int) -> bytes:
    texts = [f"{number:06d}" + "x" * 10_000 for number in range(count)]
    return parquet({"cdn": texts}, count, use_dictionary=False, row_group_size=500)


def a_list_of_millions() -> bytes:
    values = pa.array(np.zeros(SIZE, np.int8))
    return parquet({"cdn": pa.ListArray.from_arrays([0, SIZE], values)})


def two_of_one_name() -> bytes:
    stream = io.BytesIO()
    table = pa.Table.from_arrays(
        [pa.array(["a"]), pa.array(["b"]), pa.array([NOW])], ["session_id", "session_id", "event_time"]
    )
    pq.write_table(table, stream)
    return stream.getvalue()


ROWS: Final = 1_234_567


def claiming(rows: int) -> Callable[[], bytes]:
    """A file of `ROWS` rows whose footer speaks of others wherever it speaks of rows and values."""

    def made() -> bytes:
        data = parquet(rows=ROWS, row_group_size=ROWS)
        place = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
        return data[:place] + data[place:].replace(varint(ROWS), varint(rows, len(varint(ROWS))))

    return made


def with_footer(change: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    """A good file with another footer, whose length is as it should be."""

    def made() -> bytes:
        data = parquet(rows=100)
        place = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
        footer = change(data[place:-8])
        return data[:place] + footer + struct.pack("<I", len(footer)) + b"PAR1"

    return made


LONG: Final = sized(40, 400)
MANY: Final = sized(100_000, 1_200_000)
FEW: Final = sized(1_000, 10_000)
PARQUET: Final[Mapping[str, Bomb]] = {
    "Parquet of more rows than bytes": bomb(
        lambda: parquet(rows=sized(2_000_000, 60_000_000)), used=sized(2_000_000, 60_000_000)
    ),
    "Parquet of far too many rows": bomb(claiming(130_000_000), "decompression_bomb"),
    "Parquet of rows that it has not": bomb(claiming(ROWS + 1), "corrupt_file", used=ROWS),
    "a page of one text": bomb(lambda: one_long_text(LONG), "decompression_bomb"),
    "a page of one text, and a footer that lies": bomb(lambda: forged(one_long_text(LONG)), "decompression_bomb"),
    "a dictionary of one text": bomb(
        lambda: parquet({"height": repeated("x" * 20_000, pa.string(), MANY)}, MANY, store_schema=False),
        "wrong_type",
        "mostly_rejected",
    ),
    "a dictionary of one text of fixed length": bomb(
        lambda: parquet({"cdn": repeated(b"x" * 20_000, pa.binary(20_000), FEW)}, FEW, store_schema=False),
        "decompression_bomb",
    ),
    "long texts, none like another": bomb(lambda: distinct_texts(sized(8_000, 60_000)), "id_too_long"),
    "lists of millions": bomb(a_list_of_millions, "not_recognised"),
    "two columns of one name": bomb(two_of_one_name, "not_recognised"),
    "thousands of columns": bomb(
        lambda: parquet({f"c{number}": [1] for number in range(sized(3_000, 50_000))}), used=1
    ),
    "thousands of row groups": bomb(
        lambda: parquet(rows=sized(1_000, 20_000), row_group_size=1), used=sized(1_000, 20_000)
    ),
    "a footer of nothing": bomb(with_footer(lambda footer: bytes(len(footer))), "truncated_file"),
    "a footer of ones": bomb(with_footer(lambda footer: b"\xff" * len(footer)), "truncated_file"),
    "a footer that ends early": bomb(with_footer(lambda footer: footer[: len(footer) // 2]), "truncated_file"),
    "a footer longer than the file": bomb(
        lambda: parquet()[:-8] + struct.pack("<I", 2**31 - 1) + b"PAR1", "truncated_file"
    ),
    "Parquet cut": bomb(lambda: parquet(rows=1_000)[:-100], "truncated_file"),
    "Parquet in gzip, far too large": bomb(
        lambda: gzip.compress(b"PAR1" + bytes(LIMITS.wrapped_parquet_bytes + MB)), "decompression_bomb"
    ),
}

TELEMETRY: Final[Mapping[str, Bomb]] = {**CONTAINERS, **LINES, **FORMATS, **DOCUMENTS, **PARQUET}


# The order book


def an_order_line(**fields: object) -> bytes:
    return json.dumps(an_order(**fields)).encode()  # type: ignore[arg-type]  # a test names what it changes


HEADER: Final = b"order_line_id,order_id,customer_id,kind,item_id,title_json,amount_minor,currency,purchased_at\n"


def a_row(title_json: bytes = b'""Casablanca""') -> bytes:
    return b'OL-1,O-1,C-1,rental,casablanca,"' + title_json + b'",299,USD,1795290000000\n'


def rows(*odd: bytes) -> bytes:
    """Odd lines between two good ones."""
    return b"\n".join([an_order_line(), *odd, an_order_line()])


TITLES: Final = b"{" + b",".join(b'"l%d":"x"' % number for number in range(70_000)) + b"}"
NOT_CSV: Final = "is not CSV: a quote is not closed or not doubled, or a cell is too long"
NOT_JSON: Final = "is not one JSON object"
NEITHER: Final = "the file is neither JSON Lines nor CSV with a header of the known field names"

BOOKS: Final[Mapping[str, Bomb]] = {
    "blank lines before a header": bomb(lambda: filled(b"\n", MB) + HEADER + a_row(), used=1),
    "an endless line": bomb(lambda: rows(filled(b"x", 3 * SIZE)), "is longer than 1,048,576 bytes", used=2),
    "lines of one letter": bomb(lambda: rows(filled(b"x\n", SIZE // 16)), NOT_JSON, used=2),
    "depth": bomb(lambda: rows(b'{"title":' + b"[" * 400_000, b'{"title":' + b'{"a":' * 150_000), NOT_JSON, used=2),
    "a number of thousands of digits": bomb(
        lambda: rows(*(an_order_line().replace(b"299", b"9" * digits) for digits in (4_000, 400_000))),
        "input should be less than 1000000000000",
        NOT_JSON,
        used=2,
    ),
    "a title in seventy thousand languages": bomb(
        lambda: rows(an_order_line().replace(b'"Casablanca"', TITLES)),
        "input should be a valid string",
        used=2,
    ),
    "a key twice": bomb(
        lambda: rows(an_order_line().replace(b'"kind"', b'"kind":"rental","kind"')), "names a field twice", used=2
    ),
    "not a number": bomb(
        lambda: rows(*(an_order_line().replace(b"299", odd) for odd in (b"NaN", b"Infinity", b"1e400"))),
        "input should be a valid integer",
        used=2,
    ),
    "UTF-16": bomb(lambda: an_order_line().decode().encode("utf-16") * 50, NEITHER),
    "bytes that are not UTF-8": bomb(
        lambda: rows(b"\xff" * 500, an_order_line().replace(b"blanca", b"\xff")), NOT_JSON, used=2
    ),
    "half a character": bomb(lambda: rows(an_order_line().replace(b"blanca", b"\\ud800")), NOT_JSON, used=2),
    "gzip": bomb(lambda: gzip.compress(an_order_line() * 100), NEITHER),
    "a cell of megabytes": bomb(lambda: HEADER + b"OL-9," + b"y" * (MB // 2) + b"\n" + a_row(), NOT_CSV, used=1),
    "a quote without an end": bomb(
        lambda: HEADER.replace(b"_json", b"") + (b'"oops,\n' + a_row(b"Casablanca").replace(b'"', b"") * 50) * 20,
        NOT_CSV,
        used=1_000,
    ),
    "cells of JSON without an end": bomb(
        lambda: HEADER + a_row(b"[" * 60_000) + a_row(b"9" * 60_000) + a_row(), "is not JSON", used=1
    ),
}

TOML: Final[Mapping[str, Callable[[], bytes]]] = {
    "a key of thousands of parts": lambda: b"a" + b".a" * 120_000 + b" = 1",
    "a section of thousands of parts": lambda: b"[a" + b".a" * 120_000 + b"]",
    "thousands of sections of many parts": lambda: b"".join(
        b"[a%d%s]\n" % (number, b".b" * 90) for number in range(sized(300, 1_300))
    ),
    "lists in lists": lambda: b"a = " + b"[" * 250_000,
    "tables in tables": lambda: b"a = " + b"{a = " * 50_000,
    "a number of thousands of digits": lambda: b"a = " + b"9" * 250_000,
    "a text without an end": lambda: b'a = """' + b'"" ' * 80_000,
    "bytes that are not UTF-8": lambda: b"\xff\xfe" * 100,
    "megabytes": lambda: filled(b"# \n", 3 * MB),
    "nothing": lambda: b"",
}
