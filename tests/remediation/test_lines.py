from io import BytesIO

import pytest

from remediation.lines import MAX_LINE_BYTES, Lines


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"a", [(1, b"a")]),
        (b"a\n", [(1, b"a")]),
        (b"a\r\n\nb", [(1, b"a\r"), (2, b""), (3, b"b")]),
        (b"\xef\xbb\xbfa\n", [(1, b"a")]),
    ],
    ids=["empty", "one", "line feed", "blank", "byte order mark"],
)
def test_lines_are_numbered_from_one(content: bytes, lines: list[tuple[int, bytes]]) -> None:
    assert list(Lines(BytesIO(content))) == lines


@pytest.mark.parametrize("length", [MAX_LINE_BYTES + 1, 3 * MAX_LINE_BYTES, 4 * MAX_LINE_BYTES + 7])
@pytest.mark.parametrize("rest", [b"", b"\nb\nc"], ids=["at the end", "in between"])
def test_a_line_too_long_is_passed_over_and_counted(length: int, rest: bytes) -> None:
    followers = [(3, b"b"), (4, b"c")] if rest else []
    assert list(Lines(BytesIO(b"a\n" + b"x" * length + rest))) == [(1, b"a"), (2, None), *followers]


def test_a_line_of_just_the_length_is_read() -> None:
    longest = b"x" * MAX_LINE_BYTES
    assert list(Lines(BytesIO(longest + b"\n" + longest))) == [(1, longest), (2, longest)]
