"""A goods desk that asks the warehouse over HTTP, in signed requests.

The contract with the receiver: it keeps one order a `webhook-id` and answers a
repeated request as it answered the first. So whatever became of a request, the
same one may be sent again.

`http.client` is the whole client. It follows no redirect, keeps no cookie, and
reads neither proxies nor credentials from the environment, so that a signed
request goes where the configuration says and nowhere else.
"""

import contextlib
import http.client
import ssl
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from remediation.canonical import canonical_json
from remediation.gateways.errors import SilentError, UnusableError
from remediation.gateways.goods import GoodsOrder
from remediation.gateways.signatures import Secret, signed_headers
from remediation.gateways.targets import Target, TargetError, target, tls_context
from remediation.gateways.webhook_replies import failure, reference, taken

_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """A receiver and how it is talked to.

    `timeout_ms` is how long connecting and each part of the answer may take;
    the specification asks for 15 to 30 seconds. `ca_file` holds the authorities
    to trust instead of the machine's.
    """

    target: Target
    secrets: tuple[Secret, ...]
    ca_file: Path | None = None
    timeout_ms: int = 20_000


def webhook_target(url: str) -> Target:
    """A receiver by its URL, such as `https://warehouse.example/orders`.

    Raises:
      TargetError: It is no such URL, it holds a login, or it would send
        unencrypted to another machine.
    """
    receiver = target(url, "goods desk", _PORTS)
    if receiver.scheme == "http" and not receiver.loopback:
        raise TargetError("The URL of the goods desk must begin with https://, since it leads to another machine.")
    return receiver


class WebhookDesk:
    """Orders goods from the one receiver that the settings name.

    `clock` tells milliseconds since the epoch: each attempt is signed with its
    own moment.

    Raises:
      TargetError: There is no secret, or the CA file cannot be used.
    """

    def __init__(self, settings: WebhookSettings, clock: Callable[[], int]) -> None:
        if not settings.secrets:
            raise TargetError("The goods desk needs a secret to sign with; make one and tell both sides.")
        self._settings = settings
        self._clock = clock
        self._context = tls_context(settings.ca_file) if settings.target.scheme == "https" else None

    def order(self, goods: GoodsOrder) -> str:
        """Orders the goods; the receiver's own reference, or the key where it names none.

        Raises:
          RefusedError: The receiver will not have this order.
          DeferredError: Not ordered, perhaps later.
          SilentError: Ordered or not, nobody can tell; asking again is safe.
          UnusableError: The receiver cannot be reached, or takes no order from us.
        """
        with contextlib.closing(self._connection()) as connection:
            _connect(connection)
            with self._answer(connection, goods) as response:
                if taken(response):
                    return reference(response) or goods.key
                raise failure(response, self._clock())

    def find(self, key: str) -> str | None:
        """None: the receiver keeps one order a key, so that asking for it again is safe."""

    def try_out(self) -> str:
        """Says that the receiver can be reached and is who it should be; nothing is asked of it.

        Raises:
          UnusableError: It cannot, or is not.
        """
        with contextlib.closing(self._connection()) as connection:
            _connect(connection)
        receiver = self._settings.target
        return f"{receiver.host}:{receiver.port} can be reached by {receiver.scheme}; nothing was asked of it"

    def _connection(self) -> http.client.HTTPConnection:
        receiver, timeout_s = self._settings.target, self._settings.timeout_ms / 1_000
        if self._context is None:
            return http.client.HTTPConnection(receiver.host, receiver.port, timeout=timeout_s)
        return http.client.HTTPSConnection(receiver.host, receiver.port, timeout=timeout_s, context=self._context)

    def _answer(self, connection: http.client.HTTPConnection, goods: GoodsOrder) -> http.client.HTTPResponse:
        body = canonical_json({"type": "goods.order", "data": asdict(goods)}).encode()
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": "makegood",
            **signed_headers(self._settings.secrets, goods.key, self._clock(), body),
        }
        try:
            connection.request("POST", self._settings.target.path or "/", body, headers)
            return connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            trouble = type(error).__name__
        # How much of a request had arrived when the connection broke is not known here.
        raise SilentError(f"The goods desk did not answer the order ({trouble}).")


def _connect(connection: http.client.HTTPConnection) -> None:
    try:
        connection.connect()
    except ssl.SSLCertVerificationError as error:
        trouble = f"its certificate is not to be trusted ({error.verify_message})"
    except OSError as error:
        trouble = f"it cannot be reached ({type(error).__name__})"
    else:
        return
    raise UnusableError(f"The goods desk was not asked, since {trouble}: check its URL.")
