"""A goods desk that writes its orders down, for a warehouse that reads files."""

from dataclasses import asdict
from pathlib import Path

from remediation.canonical import canonical_json
from remediation.gateways.durable import try_folder, write_whole
from remediation.gateways.goods import GoodsOrder


class FileDesk:
    """One file `<key>.json` an order in `folder`, each holding one line of JSON; whole or not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def order(self, goods: GoodsOrder) -> str:
        """Writes the order down and returns the file's name.

        Raises:
          OSError: The folder cannot be written.
        """
        write_whole(self._path(goods.key), f"{canonical_json(asdict(goods))}\n".encode())
        return self._path(goods.key).name

    def find(self, key: str) -> str | None:
        """The file's name if it is there; None is certain."""
        return self._path(key).name if self._path(key).exists() else None

    def try_out(self) -> str:
        """Says that the folder can be written, without anything in it.

        Raises:
          OSError: It cannot.
        """
        return try_folder(self._folder)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"
