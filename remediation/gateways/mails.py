"""Mail servers: what every one of them must be able to do."""

from types import TracebackType
from typing import Protocol, Self

from remediation.mail import Mail


class Mailer(Protocol):
    """Hands mails over to whoever delivers them. As a context it keeps one connection for many mails."""

    def __enter__(self) -> Self:
        """Nothing need be opened before the first mail."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes what was opened; never raises."""
        ...

    def send(self, mail: Mail, recipient: str) -> str:
        """Hands the mail over and returns a reference to it; may raise any of `gateways.errors`."""
        ...

    def find(self, mail: Mail) -> str | None:
        """The reference of this mail if it was handed over, None if it certainly was not.

        Raises:
          SilentError: Nobody can tell.
        """
        ...
