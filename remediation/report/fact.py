"""A statement of an explanation."""

from typing import NamedTuple


class Fact(NamedTuple):
    """One labelled statement; the text may have several lines."""

    label: str
    text: str
