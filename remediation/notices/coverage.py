"""What a language still lacks: the catalogues held against the templates and the code that speak."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

from babel.messages.extract import extract_from_dir

from remediation.notices.catalogues import SOURCE_LANGUAGE, catalogue

MessageId = tuple[str, ...]
"""A sentence as the templates write it: one form, or its singular and plural."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """`missing`: said somewhere, but without a translation. `stale`: translated, but said nowhere any more."""

    missing: frozenset[MessageId]
    stale: frozenset[MessageId]


def coverage(language: str) -> Coverage:
    """How completely one of `catalogues.languages()` covers what the mails say in the plain voice.

    English is the language of the templates, so that it lacks nothing. The
    entries of other voices are stale under the same rule.
    """
    entries = [entry for entry in catalogue(language) if entry.id]
    plain = (entry for entry in entries if not entry.context and not entry.fuzzy)
    translated = {_forms(entry.id) for entry in plain if all(_forms(entry.string))}
    said = messages()
    return Coverage(
        missing=frozenset() if language == SOURCE_LANGUAGE else said - translated,
        stale=frozenset(_forms(entry.id) for entry in entries) - said,
    )


@cache
def messages() -> frozenset[MessageId]:
    """Every sentence that the mails can say, extracted from the templates and from this package."""
    return frozenset(_extracted("templates", "email/**.j2", "jinja2.ext:babel_extract")) | frozenset(
        _extracted("remediation.notices", "**.py", "python")
    )


def _extracted(package: str, pattern: str, method: str) -> Iterator[MessageId]:
    """The messages in files of a package. Jinja's extractor skips a broken template unless told not to be silent."""
    with as_file(files(package)) as folder:
        for _, _, message, _, _ in extract_from_dir(folder, [(pattern, method)], {pattern: {"silent": "false"}}):
            yield _forms(message)


def _forms(text: str | Sequence[str] | None) -> MessageId:
    return (text or "",) if isinstance(text, str | None) else tuple(text)
