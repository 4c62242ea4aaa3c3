"""What was erased leaves the file, too."""

import sqlite3

from sqlalchemy import Engine


def compact(engine: Engine) -> bool:
    """Writes a SQLite file anew, so that its unused parts hold nothing of what was erased; False where it is in use.

    Erased rows are overwritten in any case (`PRAGMA secure_delete`); what is left
    in a file from before that setting, or in the write-ahead log, goes here. A
    server does the like by itself, in its own time.
    """
    if engine.dialect.name != "sqlite":
        return True
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        if not isinstance(driver, sqlite3.Connection):
            raise TypeError("only SQLite's own driver is used for SQLite")
        try:
            driver.execute("VACUUM")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.OperationalError:
            return False
    return True
