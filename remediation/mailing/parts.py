"""The few things in a mail that a report on another mail is read from.

Read here by hand and not by the standard library: a report may come from
anybody, and the library descends as deep as a mail is nested, decodes whatever a
header claims, and fails in a dozen ways. A report needs one level of parts and
header fields of plain text. Each step below is linear in what it reads.
"""

import binascii
import quopri
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

MAX_PARTS: Final = 16
"""A report has three."""

_FOLD: Final = re.compile(r"\n[ \t]+")
_BLANK_LINE: Final = re.compile(r"\n[ \t]*\n")
_BOUNDARY: Final = re.compile(r';\s*boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """Header fields, and what follows them as it came."""

    fields: Mapping[str, str]
    content: str

    @classmethod
    def read(cls, text: str) -> Self:
        """A mail or a part of one, its lines ending in LF."""
        if text.startswith("\n"):  # a part without any header
            return cls({}, text[1:])
        header, _, content = text.partition("\n\n")
        return cls(fields_of(header), content)

    @property
    def media_type(self) -> str:
        """Such as `message/delivery-status`, in lower case; empty where none is named."""
        return self.fields.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """The content without its transfer encoding; as it came where it is not what it claims to be."""
        encoded = self.content.encode()
        match self.fields.get("content-transfer-encoding", "").lower():
            case "base64":
                try:
                    return lines_of(binascii.a2b_base64(encoded))
                except binascii.Error:
                    return self.content
            case "quoted-printable":
                return lines_of(quopri.decodestring(encoded))
            case _:
                return self.content

    def parts(self) -> list["Part"]:
        """The parts of a multipart, `MAX_PARTS` at most; none where it names no boundary. The last may be cut short."""
        named = _BOUNDARY.search(self.fields.get("content-type", ""))
        if named is None:
            return []
        boundary = re.escape(named[1] or named[2])
        found: list[Part] = []
        begun: int | None = None
        for delimiter in re.finditer(rf"^--{boundary}(--)?[ \t]*$", self.content, re.MULTILINE):
            if begun is not None:
                found.append(Part.read(self.content[begun : delimiter.start()]))
            begun = delimiter.end() + 1
            if delimiter[1] or len(found) == MAX_PARTS:
                return found
        return found if begun is None else [*found, Part.read(self.content[begun:])]


def lines_of(content: bytes) -> str:
    """Bytes of any origin as text, its lines ending in LF."""
    return content.decode("utf-8", "replace").replace("\r\n", "\n")


def blocks_of(text: str) -> list[Mapping[str, str]]:
    """The groups of fields that blank lines part (RFC 3464, 2.1)."""
    return [fields_of(block) for block in _BLANK_LINE.split(text)]


def fields_of(header: str) -> Mapping[str, str]:
    """Header fields by their names in lower case, unfolded; of several of one name the first."""
    fields: dict[str, str] = {}
    for line in _FOLD.sub(" ", header).split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip().lower(), value.strip())
    return fields
