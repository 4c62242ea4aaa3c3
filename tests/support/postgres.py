"""A PostgreSQL server of the tests' own, on a socket in a folder of its own, thrown away afterwards."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

URL_VARIABLE: Final = "MAKEGOOD_TEST_POSTGRES"

HOW_TO: Final = (
    "there is no PostgreSQL 15 or later here: install the package postgresql (Debian: apt-get install postgresql), "
    f"or name a running server by {URL_VARIABLE}=postgresql://USER@HOST/NAME"
)
_PLACES: Final = (
    "/usr/lib/postgresql/*/bin/initdb",
    "/usr/local/pgsql/bin/initdb",
    "/opt/homebrew/opt/postgresql*/bin/initdb",
)


class NoServerError(Exception):
    """No PostgreSQL can be started here."""


def server_folder() -> Path | None:
    """The folder of the newest server's programs on this machine."""
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    found = [program for pattern in _PLACES for program in Path("/").glob(pattern.lstrip("/"))]
    return max(found, key=_release).parent if found else None


@contextmanager
def running_postgres(folder: Path) -> Iterator[str]:
    """The URL of a server's own database: one that was named, or one that lives in `folder` for as long as the context.

    Writes are as durable as in real use (fsync is on), since crashes are tested on it.

    Raises:
      NoServerError: There are no programs of a server here.
    """
    if named := os.environ.get(URL_VARIABLE):
        yield named
        return
    programs = server_folder()
    if programs is None:
        raise NoServerError(HOW_TO)
    owner = _owner(folder)
    data, log = folder / "data", folder / "server.log"
    _run(owner, programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c max_connections=80"
    _run(owner, programs / "pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start")
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        _run(owner, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")


@contextmanager
def database_on(server: str) -> Iterator[str]:
    """The URL of a new, empty database on the server, dropped at the end."""
    admin = create_engine(_with_driver(server), isolation_level="AUTOCOMMIT")
    name = f"makegood_{uuid4().hex}"
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        url: URL = admin.url.set(drivername="postgresql", database=name)
        yield url.render_as_string(hide_password=False)
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        admin.dispose()


def _with_driver(server: str) -> str:
    return server.replace("postgresql://", "postgresql+psycopg://", 1)


def _release(program: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in program.parts if part.isdigit())


def _owner(folder: Path) -> str | None:
    """The server refuses to run as root: then it runs as the user whom its package made."""
    if os.geteuid() != 0:
        return None
    name = "postgres"
    try:
        account = pwd.getpwnam(name)
    except KeyError:
        raise NoServerError(f"PostgreSQL does not run as root, and there is no user {name}: {HOW_TO}") from None
    os.chown(folder, account.pw_uid, account.pw_gid)
    return name


def _run(owner: str | None, *command: str | Path) -> None:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, user=owner, cwd="/", timeout=120
    )
    if done.returncode:
        raise NoServerError(f"{command[0]} failed: {done.stdout[-500:]}{done.stderr[-500:]}")
