"""Errors in words: one sentence for the person at the command line."""

from typing import Final

KNOWN_MODULES: Final = ("pipelines.", "remediation.", "detectors.")


def sentence(error: BaseException) -> str:
    """What went wrong and what to do, on one line.

    Our own errors say it themselves. An engine wraps what a step raised; the
    innermost error of ours is the one to tell.
    """
    told = _ours(error)
    if told is not None:
        return _one_line(str(told))
    return f"{_one_line(str(error)) or type(error).__name__} ({type(error).__name__}); nothing was sent"


def _ours(error: BaseException | None) -> BaseException | None:
    """The first error of this project along the chain of causes."""
    while error is not None:
        if type(error).__module__.startswith(KNOWN_MODULES):
            return error
        error = error.__cause__ or error.__context__
    return None


def _one_line(text: str) -> str:
    return " ".join(text.split())
