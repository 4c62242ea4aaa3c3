"""The keys with which beacons are signed: read from a file, each with the time in which it is good."""

import hashlib
import hmac
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Final, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

MAX_BYTES: Final = 1 << 18
"""A key ring is a page; anything larger is another file, named by mistake."""

_MOST_DOTS: Final = 100
"""The parser takes the square of the parts of a dotted key; ours have one."""

_HEX_KEY: Final = r"^[0-9a-fA-F]{64,256}$"
"""Between 32 bytes, as long as the digest, and 128."""

_ADVICE: Final = {
    "missing": "is missing: add it",
    "extra_forbidden": "holds a name that is not known: correct its spelling or remove it",
    "string_pattern_mismatch": "must be 64 to 256 hexadecimal digits, as `openssl rand -hex 32` prints them",
    "timezone_aware": "needs its zone: write for example 2026-11-01T00:00:00Z",
}


class KeyRingError(ValueError):
    """A key ring that cannot be used; the message names file, key and field, and never a secret."""


@dataclass(frozen=True, slots=True)
class BeaconKey:
    """One key. It is good from `valid_from` until before `valid_until`, milliseconds since the epoch."""

    key_id: str
    secret: bytes = field(repr=False)
    valid_from: int
    valid_until: int

    def of_session(self, session_id: str) -> bytes:
        """The key that a player signs one session with: HMAC-SHA256 of the session id under the secret.

        The service hands it to the player with the permission to play. A secret
        within an app is none, so that none is there: who has not been allowed a session
        cannot sign for it.
        """
        return hmac.digest(self.secret, session_id.encode(), "sha256")


@dataclass(frozen=True)
class KeyRing:
    """All keys, by id; several are good at once while one takes the place of another."""

    keys: Mapping[str, BeaconKey]

    @cached_property
    def sha256(self) -> str:
        """Hex digest that changes with any key or time, and from which no secret can be found."""
        digest = hashlib.sha256()
        for key_id, key in sorted(self.keys.items()):
            mark = hmac.digest(key.secret, b"key ring", "sha256").hex()
            digest.update(f"{key_id}\n{key.valid_from}\n{key.valid_until}\n{mark}\n".encode())
        return digest.hexdigest()


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class _Key(_Strict):
    id: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
    secret: Annotated[str, StringConstraints(pattern=_HEX_KEY)]
    valid_from: AwareDatetime
    valid_until: AwareDatetime

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.valid_from >= self.valid_until:
            raise ValueError("valid_from must be before valid_until")
        return self


class _File(_Strict):
    key: Annotated[list[_Key], Field(min_length=1)]


def load_key_ring(text: bytes, source: str) -> KeyRing:
    """The keys of a TOML file with one table `[[key]]` each: `id`, `secret`, `valid_from` and `valid_until`.

    Args:
      text: the file's content. `secret` is at least 32 random bytes in hexadecimal digits.
      source: the file's name, for messages only.

    Raises:
      KeyRingError: It is no such file, or two of its keys have one id.
    """
    if len(text) > MAX_BYTES:
        raise KeyRingError(f"{source}: has {len(text)} bytes, more than any key ring: name the file of the keys itself")
    if max(line.count(b".") for line in text.split(b"\n")) > _MOST_DOTS:
        raise KeyRingError(f"{source}: has a line of more than {_MOST_DOTS} dots: no name or time needs so many")
    try:
        content = tomllib.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        line = re.search(r"at line (\d+)", str(error))
        where = f", line {line[1]}" if line else ""
        raise KeyRingError(f"{source}{where}: is not TOML: correct it") from None
    try:
        keys = _File.model_validate(content).key
    except ValidationError as error:
        raise KeyRingError(f"{source}: {_first_problem(error)}") from None
    ring = {key.id: _beacon_key(key) for key in keys}
    if len(ring) < len(keys):
        raise KeyRingError(f"{source}: two keys have one id: give each its own")
    return KeyRing(ring)


def _beacon_key(key: _Key) -> BeaconKey:
    return BeaconKey(key.id, bytes.fromhex(key.secret), _ms(key.valid_from), _ms(key.valid_until))


def _ms(moment: datetime) -> int:
    return round(moment.astimezone(UTC).timestamp() * 1_000)


def _first_problem(invalid: ValidationError) -> str:
    # A misspelt name is both unknown and missing; the unknown one shows where to look.
    errors = invalid.errors(include_input=False, include_url=False)
    error = min(errors, key=lambda each: each["type"] != "extra_forbidden")
    # A name that nobody knows could be a secret that was put in the wrong place: only where it stands is told.
    names = [f"number {part + 1}" if isinstance(part, int) else str(part) for part in error["loc"]]
    where = " ".join(names[:-1] if error["type"] == "extra_forbidden" else names)
    advice = _ADVICE.get(error["type"]) or f"{error['msg'].removeprefix('Value error, ')}: correct it"
    return f"{where or 'the file'}: {advice}"
