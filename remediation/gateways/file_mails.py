"""A mailer that writes mails to files, byte for byte as they would go over the wire."""

from pathlib import Path
from types import TracebackType
from typing import Self

from remediation.gateways.durable import try_folder, write_whole
from remediation.gateways.errors import RefusedError
from remediation.mail import Mail
from remediation.notices.envelope import Sender, address
from remediation.notices.errors import NoticeError


class FileMailer:
    """One file `<remedy id>.eml` a mail in `folder`."""

    def __init__(self, folder: Path, sender: Sender) -> None:
        self._folder = folder
        self._sender = sender

    def __enter__(self) -> Self:
        """Nothing to open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""

    def send(self, mail: Mail, recipient: str) -> str:
        """Writes the mail and returns the file's name.

        Raises:
          RefusedError: It cannot be addressed to this recipient.
          OSError: The folder cannot be written.
        """
        try:
            message = address(mail, recipient, self._sender)
        except NoticeError as error:
            raise RefusedError(str(error)) from None
        write_whole(self._path(mail), bytes(message))
        return self._path(mail).name

    def find(self, mail: Mail) -> str | None:
        """The file's name if it is there; None is certain, since files are whole or not there."""
        return self._path(mail).name if self._path(mail).exists() else None

    def try_out(self) -> str:
        """Says that the folder can be written, without anything in it.

        Raises:
          OSError: It cannot.
        """
        return try_folder(self._folder)

    def _path(self, mail: Mail) -> Path:
        return self._folder / f"{mail.remedy_id}.eml"
