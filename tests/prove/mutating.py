"""Records that were good once: their words are taken out, doubled, cut, or exchanged for what breaks parsers."""

import re
from collections.abc import Sequence
from random import Random
from typing import Final

from hypothesis import strategies as st

_WORD: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[A-Za-z0-9_.+:-]+|\s+|.', re.DOTALL)

HOSTILE: Final = (
    *(b"0", b"-1", b"-0", b"1.5", b"1e3", b"1e400", b"-1e-400", b"9007199254740993", b"9" * 19, b"9" * 25, b"9" * 400),
    *(
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"true",
        b"false",
        b"null",
        b"nul",
        b"''",
        b"0x1f",
        b"01",
        b"+1",
        b".5",
        b"1.",
    ),
    *(
        b'""',
        b'"',
        b"'",
        b"\\",
        b'"\\"',
        b'"\\u0000"',
        b'"\\ud800"',
        b'"\\ud83d\\ude00"',
        b'"\\u202e"',
        b'"\\n"',
        b'"\x7f"',
    ),
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b"{}",
        b"[]",
        b"[[[[",
        b'{"a":{}}',
        b"(",
        b")",
        b"(1;v 2;a)",
        b"(1",
        b";v",
        b"=",
        b",",
        b":",
    ),
    *(
        b"\xff",
        b"\xc3\x28",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
        b"\xe2\x80\xa8",
        "é".encode(),
        "カ".encode(),
        "😀".encode(),
    ),
    *(
        b"\0",
        b"\r",
        b"\n",
        b"\t",
        b"\x0b",
        b"\x1b[2J",
        b"%22",
        b"%zz",
        b"%",
        b"CMCD=",
        b"#Fields: a b",
        b"#",
        b"&",
        b"?",
    ),
    *(
        b'"x"',
        b'"' + b"x" * 250 + b'"',
        b"x" * 300,
        b'"2026-11-21T19:56:50Z"',
        b'"2026-02-30T00:00:00Z"',
        b"1795291010509",
    ),
    *(
        b'"session_id"',
        b'"event_time"',
        b'"state"',
        b'"playing"',
        b'"error_code"',
        b'"cmcd"',
        b'"tracking_number"',
        b'"lat"',
    ),
    *(
        b'"customer_id"',
        b'"event"',
        b'"title"',
        b'"ship_to"',
        b'"key_id"',
        b'"signature"',
        b"sid",
        b"ts",
        b"br",
        b"v=3",
        b"nan",
    ),
    *(b"=cmd|' /C calc'!A0", b"{{7*7}}", b"<b>", b"--", b"'''", b'"""', b"[a]", b"[[a]]", b"a.b.c"),
)
"""Words that parsers stumble over, and names that other formats use."""

Edit = tuple[int, int, int]
"""What is done, at which word, and with which other word; numbers beyond the end begin anew."""

EDITS: Final = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 400), st.integers(0, 400)), max_size=5)


def words(record: bytes) -> list[bytes]:
    """Texts, names, numbers, blanks and single marks, which together are the record again."""
    return _WORD.findall(record)


def mutated(record: bytes, edits: Sequence[Edit], others: Sequence[bytes]) -> bytes:
    """The record after the edits; `others` are words to put in, from the same format and from none."""
    said = words(record)
    for what, where, which in edits:
        place, other = where % (len(said) + 1), others[which % len(others)]
        match what:
            case 0:  # another instead of it
                said[place : place + 1] = [other]
            case 1:  # another before it
                said.insert(place, other)
            case 2:  # no more
                del said[place : place + 1]
            case 3:  # twice, here and elsewhere
                said.insert(which % (len(said) + 1), said[place] if place < len(said) else b"")
            case 4:  # cut in the middle
                said[place : place + 1] = [said[place][: which % (len(said[place]) + 1)]] if place < len(said) else []
            case _:  # a bit turned
                joined = bytearray(b"".join(said) or b"\0")
                joined[where % len(joined)] ^= 1 << which % 8
                said = words(bytes(joined))
    return b"".join(said)


def vocabulary(records: Sequence[bytes]) -> tuple[bytes, ...]:
    """What is put into records: words of their own format, and those that parsers stumble over."""
    return (*HOSTILE, *dict.fromkeys(word for record in records[:40] for word in words(record)[:200]))


def mutants(records: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """One of the records, a little or very much changed."""
    others = vocabulary(records)
    return st.builds(lambda record, edits: mutated(record, edits, others), st.sampled_from(records), EDITS)


def at_random(records: Sequence[bytes], chance: Random, count: int) -> list[bytes]:
    """Many mutants at once, far faster than Hypothesis draws them; the same chance gives the same ones."""
    others = vocabulary(records)
    return [
        mutated(
            chance.choice(records),
            [(chance.randrange(6), chance.randrange(400), chance.randrange(400)) for _ in range(chance.randrange(6))],
            others,
        )
        for _ in range(count)
    ]
