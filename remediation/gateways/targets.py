"""Where things are sent: URLs that come from whoever runs the service, and never from data."""

import ipaddress
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

_HOST_NAME: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_PRINTABLE: Final = re.compile(r"[!-~]+")


class TargetError(ValueError):
    """The set-up of a target cannot be used. The sentence says what to change and repeats neither URL nor secret."""


@dataclass(frozen=True, slots=True)
class Target:
    """One URL in its parts. `path` holds the query as well and is empty where there is none."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def loopback(self) -> bool:
        """Whether what is sent there stays on this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def target(url: str, role: str, ports: Mapping[str, int]) -> Target:
    """The parts of `url`.

    Args:
      url: As configured, such as `smtps://mail.example:465`.
      role: What is sent there, for the sentence of an error.
      ports: The schemes that may be used, each with its usual port.

    Raises:
      TargetError: It is no such URL, or it carries a password, which would
        show in lists of processes and in logs.
    """
    parts = _split(url, role)
    if parts.scheme not in ports:
        raise TargetError(f"The URL of the {role} must begin with one of: {', '.join(f'{name}://' for name in ports)}.")
    if parts.username is not None or parts.password is not None:
        raise TargetError(f"The URL of the {role} holds a login; take it out and give it by the environment.")
    if parts.fragment:
        raise TargetError(f"The URL of the {role} holds a #; take out what follows it.")
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return Target(parts.scheme, _host(parts, role), _port(parts, role) or ports[parts.scheme], path)


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Checks certificate and host name, against the machine's authorities or against those of `ca_file` alone.

    Raises:
      TargetError: The file cannot be read or holds no certificate.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # ssl.SSLError is one, too
        raise TargetError(f"The CA file {ca_file} holds no certificate that can be read; name another.") from error


def _split(url: str, role: str) -> SplitResult:
    # urlsplit() drops tabs and line breaks without a word, so that they are looked for first.
    if _PRINTABLE.fullmatch(url):
        try:
            return urlsplit(url)
        except ValueError:
            pass
    # Raised outside the handler: the chained error would show the URL.
    raise TargetError(f"The URL of the {role} cannot be read; write it as scheme://host:port.")


def _host(parts: SplitResult, role: str) -> str:
    host = parts.hostname or ""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        if _HOST_NAME.fullmatch(host):
            return host
    raise TargetError(f"The URL of the {role} names no host, or not in ASCII; write it as scheme://host:port.")


def _port(parts: SplitResult, role: str) -> int | None:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise TargetError(f"The URL of the {role} names a port that is not a number from 1 to 65535.")
    return port
