"""One spelling of JSON, so that equal content is equal text and has one digest."""

import hashlib
import json
from typing import Final

_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(value: object) -> str:
    """`value` as JSON with sorted keys and without spaces.

    Raises:
      ValueError: It holds NaN or an infinity, which JSON cannot say.
    """
    return _ENCODER.encode(value)


def sha256_of(value: object) -> str:
    """The hexadecimal SHA-256 of the canonical JSON of `value`."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
