"""Files that are either there whole or not at all, also after a power cut."""

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Writes `content` to `path`, replacing what is there; its folder is made where it is missing.

    Raises:
      OSError: It could not be written; what was at `path` before is still there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def try_folder(folder: Path) -> str:
    """Says that files can be written to a folder, tried there or where it would be made; nothing of the trial stays.

    Raises:
      OSError: They cannot.
    """
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    with tempfile.TemporaryFile(dir=there) as trial:
        trial.write(b"trial")
    return f"{folder} can be written" if there == folder else f"{folder} is not there yet, and can be made"


def _sync_folder(folder: Path) -> None:
    """The name of a new file lives in its folder, and is lost with it unless that is synced as well."""
    if os.name == "nt":  # a folder cannot be opened there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
