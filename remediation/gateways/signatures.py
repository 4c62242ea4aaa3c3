"""Signed requests, after the Standard Webhooks specification 1.0.0: HMAC-SHA256 over id, moment and body.

Any receiver can check them with a library of that name, or with `verify`.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from remediation.gateways.targets import TargetError

ID_HEADER: Final = "webhook-id"
TIME_HEADER: Final = "webhook-timestamp"
SIGNATURE_HEADER: Final = "webhook-signature"

MIN_KEY_BYTES: Final = 24
MAX_KEY_BYTES: Final = 64
MAX_SIGNATURES: Final = 16
"""More than any rotation of secrets needs, and few enough to check each."""

_PREFIX: Final = "whsec_"
_VERSION: Final = "v1"
_MESSAGE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")  # No dot: it parts the signed text.
_SECONDS: Final = re.compile(r"[0-9]{1,12}")


class SignatureError(ValueError):
    """A request is not to be believed. The sentence holds nothing of it."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A key that both sides know; it does not show in a text of this object."""

    key: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The secret as it is handed around: `whsec_` and base64.

        Raises:
          TargetError: It is written otherwise, or its key is not of 24 to 64 bytes.
        """
        try:
            key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not (text.startswith(_PREFIX) and MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES):
            # Raised outside the handler, so that no chained error shows the secret.
            raise TargetError("A signing secret is whsec_ and 24 to 64 bytes in base64; make one and tell both sides.")
        return cls(key)

    def sign(self, message_id: str, timestamp_s: int, body: bytes) -> str:
        """The signature with its version, such as `v1,g0hM…`."""
        signed = f"{message_id}.{timestamp_s}.".encode() + body
        return f"{_VERSION},{base64.b64encode(hmac.digest(self.key, signed, hashlib.sha256)).decode('ascii')}"


def signed_headers(secrets: Sequence[Secret], message_id: str, now_ms: int, body: bytes) -> dict[str, str]:
    """The headers that sign one attempt to send `body`.

    It is signed with every secret, so that a secret can be exchanged without a
    moment at which sender and receiver must change together.

    Args:
      secrets: At least one.
      message_id: The same for every attempt; letters, digits, `_` and `-`.
      now_ms: The moment of the attempt, milliseconds since the epoch.
      body: The very bytes that are sent.

    Raises:
      ValueError: The id holds another character, or there is no secret.
    """
    if not _MESSAGE_ID.fullmatch(message_id) or not secrets:
        raise ValueError("A signed request needs an id of letters, digits, _ and -, and at least one secret.")
    timestamp_s = now_ms // 1_000
    return {
        ID_HEADER: message_id,
        TIME_HEADER: str(timestamp_s),
        SIGNATURE_HEADER: " ".join(secret.sign(message_id, timestamp_s, body) for secret in secrets),
    }


def verify(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[Secret], now_ms: int, tolerance_ms: int = 300_000
) -> str:
    """The id of a request that was signed with one of `secrets` no longer ago than `tolerance_ms`.

    Within that time a request can be replayed: the receiver acts once an id.

    Args:
      headers: As received; upper and lower case are the same.
      body: The very bytes received.
      secrets: Those that are believed, old ones included while they are exchanged.
      now_ms: The receiver's own time, milliseconds since the epoch.
      tolerance_ms: How far its clock and the sender's may differ, either way.

    Raises:
      SignatureError: It was not, or a header is missing or malformed.
    """
    received = {name.lower(): value for name, value in headers.items()}
    message_id = received.get(ID_HEADER, "")
    seconds = received.get(TIME_HEADER, "")
    signatures = received.get(SIGNATURE_HEADER, "").split(" ")
    if not (_MESSAGE_ID.fullmatch(message_id) and _SECONDS.fullmatch(seconds) and len(signatures) <= MAX_SIGNATURES):
        raise SignatureError("The request lacks a signature, or its headers are not those of a signed one.")
    if abs(now_ms - int(seconds) * 1_000) > tolerance_ms:
        raise SignatureError("The request was signed too long ago, or the clocks differ: it may be a replay.")
    expected = [secret.sign(message_id, int(seconds), body) for secret in secrets]
    if not any(_equal(signature, ours) for signature in signatures for ours in expected):
        raise SignatureError("The request was signed with another secret, or changed on its way.")
    return message_id


def _equal(one: str, other: str) -> bool:
    """In a time that tells nothing of where they differ."""
    return hmac.compare_digest(one.encode(errors="surrogatepass"), other.encode())
