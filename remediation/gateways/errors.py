"""What can go wrong outside, in four words. Which one it is decides whether a thing may be tried again.

The texts are kept in the ledger: they never hold a name, an address or a secret.
"""


class RefusedError(Exception):
    """It certainly was not done, and asking again would not change that: a person decides."""


class RejectedMailError(RefusedError):
    """The mail server will not have a mail for this recipient; `status` is its enhanced status code, if it gave one."""

    def __init__(self, message: str, status: str | None) -> None:
        super().__init__(message)
        self.status = status


class DeferredError(Exception):
    """It certainly was not done, but may be later. `retry_after_ms` is the other side's own wish, if it had one."""

    def __init__(self, message: str, retry_after_ms: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_ms = retry_after_ms


class SilentError(Exception):
    """No answer that says so either way: it may have been done or not."""


class UnusableError(Exception):
    """It certainly was not done, and nothing else will be until somebody mends the set-up: the pass ends."""
