"""Every mail that can be written, to be looked at before anybody gets one."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.settings import UsageError, sender_parts


def preview(
    out: Annotated[Path, typer.Option(help="The folder to write; index.html in it shows every mail")],
    language: Annotated[list[str] | None, typer.Option(help="Only this language; can be repeated")] = None,
) -> None:
    """Write a gallery of every mail: each failure, language and voice, and whatever is hard to set."""
    sender = sender_parts()
    from remediation.notices.catalogues import languages
    from remediation.notices.envelope import Sender
    from remediation.preview.gallery import every_mail, write_gallery

    unknown = sorted({*(language or ())} - languages())
    if unknown:
        raise UsageError(f"--language {unknown[0]} has no catalogue; there are {', '.join(sorted(languages()))}")
    wanted = sorted({*(language or languages())})
    mails = every_mail(Sender(*sender), wanted)
    typer.echo(f"{write_gallery(mails, out)}: {len(mails):,} mails ({', '.join(wanted)})")
