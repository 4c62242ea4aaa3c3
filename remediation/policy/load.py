"""Reading a policy file: everything that is wrong with it is said in one sentence."""

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from remediation.policy.model import Policy

DEFAULT: Final = "default.toml"
MAX_BYTES: Final = 1 << 18
"""A policy is a page of figures; anything larger is another file, named by mistake."""

_MOST_DOTS: Final = 100
"""The parser takes the square of the parts of a dotted key; ours have two or three."""

_TABLE: Final = re.compile(r"\s*\[\s*([\w.\s-]+?)\s*\]")
_KEY: Final = re.compile(r"\s*([\w-]+)\s*=")
_ADVICE: Final = {
    "missing": "is missing: add it, as in the default policy",
    "extra_forbidden": "is not a known name: correct its spelling or remove it",
    "model_type": "must be a section: write it as in the default policy",
    "string_pattern_mismatch": "must be three capital letters, such as USD: correct it",
    "dict_type": "must be a section: write it as in the default policy",
}


class PolicyError(ValueError):
    """A policy that cannot be used; the message names file, line and field, and says what to do."""


def load_policy(text: bytes, source: str) -> Policy:
    """The policy written in `text`; `source` is the file's name, for messages only.

    Raises:
      PolicyError: It is too large, not UTF-8, not TOML, or a field is missing,
        unknown or out of bounds. One fault is named, the others are counted.
    """
    if len(text) > MAX_BYTES:
        raise PolicyError(f"{source}: has {len(text)} bytes, more than any policy: name the policy file itself")
    for number, line in enumerate(text.split(b"\n"), start=1):
        if line.count(b".") > _MOST_DOTS:
            raise PolicyError(
                f"{source}, line {number}: has more than {_MOST_DOTS} dots: no name or figure needs so many"
            )
    try:
        decoded = text.decode("utf-8")
        content = tomllib.loads(decoded)
    except UnicodeDecodeError as error:
        raise PolicyError(f"{source}: is not UTF-8 text at byte {error.start}: save it as UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PolicyError(f"{source}: is not TOML: {_without_breaks(error)}: correct that line") from None
    except ValueError as error:  # a number with more digits than Python reads
        raise PolicyError(f"{source}: cannot be read: {_without_breaks(error)}: correct that figure") from None
    try:
        return Policy.model_validate(content)
    except ValidationError as error:
        raise PolicyError(_sentence(error.errors(include_url=False, include_input=False), decoded, source)) from None


@cache
def default_policy() -> Policy:
    """The policy that comes with the package, for runs that name no other."""
    return load_policy(default_text(), DEFAULT)


def default_text() -> bytes:
    """The default policy's file, remarks and all: a start for one's own."""
    return resources.files(__package__ or "").joinpath(DEFAULT).read_bytes()


def _sentence(errors: Sequence[ErrorDetails], text: str, source: str) -> str:
    # A misspelt name is both unknown and missing; the unknown one shows where to look.
    first = min(errors, key=lambda error: error["type"] != "extra_forbidden")
    path = tuple(str(part) for part in first["loc"] if part != "[key]")
    line = _line_of(path, text)
    where = f"{source}, line {line}" if line else source
    advice = _ADVICE.get(first["type"]) or f"{_lowered(first['msg'])}: correct it"
    others = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{where}: {'.'.join(path)}: {advice}{others}"


def _line_of(path: Sequence[str], text: str) -> int | None:
    """The line that holds `path`, or its nearest section: TOML's parser keeps no positions."""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if heading := _TABLE.match(line):
            table = tuple(part.strip() for part in heading[1].split("."))
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, key[1]), number)
    known = (lines.get(tuple(path[:length])) for length in range(len(path), 0, -1))
    return next((line for line in known if line), None)


def _lowered(message: str) -> str:
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _without_breaks(error: Exception) -> str:
    return " ".join(str(error).split()) or "it is nested too deeply"
