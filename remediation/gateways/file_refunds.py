"""A refund gateway that makes refunds by writing them down: for trying out, and for a desk that pays by hand."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Final

from remediation.canonical import canonical_json
from remediation.gateways.durable import try_folder, write_whole
from remediation.gateways.errors import RefusedError
from remediation.gateways.refunds import Payout, ProviderRefund, Receipt, RefundStatus


class FileGateway:
    """One file `<remedy id>.json` a refund in `folder`, each holding one line of JSON.

    The file's name is the key: a refund asked for again finds its file, whoever
    asks and after whatever crash.
    """

    name: Final = "file"
    key_lifetime_ms: Final = None

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def refund(self, payout: Payout) -> Receipt:
        """Writes the refund down, or finds it written.

        Raises:
          RefusedError: Another refund was written under the same key.
          OSError: The folder cannot be read or written.
        """
        path = self._path(payout.remedy_id)
        content = asdict(payout)
        if not path.exists():
            write_whole(path, f"{canonical_json(content)}\n".encode())
        elif json.loads(path.read_bytes()) != content:
            raise RefusedError(f"{path} holds another refund under the same key: compare it with the ledger")
        return self._receipt(payout.remedy_id)

    def find(self, payout: Payout) -> Receipt | None:
        """The receipt of a refund that is written down; None is certain, since files are whole or not there.

        Raises:
          OSError: The folder cannot be read.
        """
        return self._receipt(payout.remedy_id) if self._path(payout.remedy_id).exists() else None

    def refunds(self, since_ms: int) -> Iterator[ProviderRefund]:
        """Every refund in the folder whose file is as old as `since_ms` or younger.

        Raises:
          OSError: The folder cannot be read.
        """
        for path in sorted(self._folder.glob("*.json")):
            created_at = path.stat().st_mtime_ns // 1_000_000
            if created_at >= since_ms:
                payout = Payout(**json.loads(path.read_bytes()))
                receipt = self._receipt(payout.remedy_id)
                yield ProviderRefund(
                    receipt.reference,
                    payout.remedy_id,
                    (payout.payment_id,) if payout.payment_id else (),
                    payout.amount_minor,
                    payout.currency,
                    receipt.status,
                    created_at,
                )

    def try_out(self) -> str:
        """Says that the folder can be written, without anything in it.

        Raises:
          OSError: It cannot.
        """
        return try_folder(self._folder)

    def _path(self, remedy_id: str) -> Path:
        return self._folder / f"{remedy_id}.json"

    def _receipt(self, remedy_id: str) -> Receipt:
        return Receipt(reference=f"file:{remedy_id}", status=RefundStatus.SUCCEEDED)
