"""Records that were good once: their words are taken out, doubled, cut, or exchanged for what breaks parsers."""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from random import Random
from typing import Final

from hypothesis import strategies as st

_WORD: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[A-Za-z0-9_.+:-]+|\s+|.', re.DOTALL)
_INNER: Final = re.compile(rb'\\"|[A-Za-z0-9_.+-]+|.', re.DOTALL)

VALUES: Final = (
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
        b'"\\u0000"',
        b'"\\ud800"',
        b'"\\ud83d\\ude00"',
        b'"\\u202e"',
        b'"\\n"',
        b'"\x7f"',
        b'"a\xffb"',
        b'"a\\"b"',
    ),
    *(b"{}", b"[]", b'{"a":{}}', b"[1]", b"[[[[", b'"' + b"[" * 40 + b'"', b"(1;v 2;a)", b"(0;v)", b"(1", b'("a" "b")'),
    *(
        b'"x"',
        b'"' + b"x" * 250 + b'"',
        b"x" * 300,
        b'"2026-11-21T19:56:50Z"',
        b'"2026-02-30T00:00:00Z"',
        b"1795291010509",
    ),
    *(b'"playing"', b'"event"', b"%22s%22", b"%zz", b"%ff", b"ps", b"2", b"3", b"-", b"1.2.3", b"{{7*7}}"),
)
"""What no field, or some other field, may hold."""

MARKS: Final = (
    *(b'"', b"'", b"\\", b'"\\"', b"{", b"}", b"[", b"]", b"(", b")", b";v", b"=", b",", b":", b"&", b"?", b"#", b"--"),
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
        b"%",
        b"CMCD=",
        b"#Fields: a b",
        b'"""',
        b"[a]",
        b"a.b.c",
    ),
    *(
        b'"session_id"',
        b'"event_time"',
        b'"state"',
        b'"error_code"',
        b'"cmcd"',
        b'"tracking_number"',
        b'"lat"',
        b"sid",
        b"v",
    ),
    *(b'"customer_id"', b'"title"', b'"ship_to"', b'"key_id"', b'"signature"', b"=cmd|' /C calc'!A0", b"<b>"),
)
"""What ends or opens something, and names that other formats use."""

Edit = tuple[int, int, int]
"""What is done, at which word, and with which other word; numbers beyond the end begin anew."""

KINDS: Final = 11
EDITS: Final = st.lists(st.tuples(st.integers(0, KINDS - 1), st.integers(0, 400), st.integers(0, 400)), max_size=4)


@lru_cache(maxsize=4_096)
def words(record: bytes) -> tuple[bytes, ...]:
    """Texts, names, numbers, blanks and single marks, which together are the record again.

    A text that holds members of its own, as CMCD within JSON, is taken apart, too.
    """
    return tuple(
        part for word in _WORD.findall(record) for part in (_INNER.findall(word) if b"=" in word[1:] else [word])
    )


def mutated(record: bytes, edits: Sequence[Edit], others: Sequence[bytes]) -> bytes:
    """The record after the edits; `others` are words to put in, from the same format and from none."""
    said = list(words(record))
    for what, where, which in edits:
        place, other = where % (len(said) + 1), others[which % len(others)]
        match what:
            case 0 | 1 | 2 | 3:  # another value
                if held := _values(said):
                    said[held[where % len(held)]] = VALUES[which % len(VALUES)]
            case 4:  # a mark before it
                said.insert(place, MARKS[which % len(MARKS)])
            case 5:  # another instead of it
                said[place : place + 1] = [other]
            case 6:  # another before it
                said.insert(place, other)
            case 7:  # no more
                del said[place : place + 1]
            case 8:  # twice, here and elsewhere
                said.insert(which % (len(said) + 1), said[place] if place < len(said) else b"")
            case 9:  # cut in the middle
                said[place : place + 1] = [said[place][: which % (len(said[place]) + 1)]] if place < len(said) else []
            case _:  # a bit turned
                joined = bytearray(b"".join(said) or b"\0")
                joined[where % len(joined)] ^= 1 << which % 8
                said = list(words(bytes(joined)))
    return b"".join(said)


def _values(said: Sequence[bytes]) -> list[int]:
    """The places of words that stand behind a colon or an equals sign, or its encoded form."""
    filled = [place for place, word in enumerate(said) if word.strip()]
    return [
        after
        for before, after in pairwise(filled)
        if said[before] in (b":", b"=", b"\t", b"3D") or said[before][-2:] == b"3D"
    ]


@lru_cache(maxsize=64)
def vocabulary(records: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Words of the same format, and those that parsers stumble over."""
    return (*VALUES, *MARKS, *dict.fromkeys(word for record in records[:40] for word in words(record)[:200]))


def mutants(records: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """One of the records, a little or very much changed."""
    others = vocabulary(tuple(records))
    return st.builds(lambda record, edits: mutated(record, edits, others), st.sampled_from(records), EDITS)


def at_random(records: Sequence[bytes], chance: Random, count: int) -> list[bytes]:
    """Many lines at once, far faster than Hypothesis draws them; the same chance gives the same ones.

    Of some files, two of five, nearly all lines are good: what is read in one go and what is read
    line by line meets only there.
    """
    others, share = vocabulary(tuple(records)), chance.choice((0.03, 0.2, 1.0, 1.0, 1.0))

    def edit() -> Edit:
        return chance.randrange(KINDS), chance.randrange(400), chance.randrange(400)

    return [
        mutated(record, [edit() for _ in range(1 + chance.randrange(4))], others) if chance.random() < share else record
        for record in chance.choices(records, k=count)
    ]
