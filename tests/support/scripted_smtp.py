"""A mail server in this process that breaks the rules at a chosen point."""

import socket
import socketserver
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedIOBase
from typing import Final, Literal

Point = Literal["banner", "EHLO", "HELO", "AUTH", "MAIL", "RCPT", "DATA", "body", "end", "RSET", "QUIT"]


@dataclass(frozen=True, slots=True)
class Act:
    """What the server says at a point instead of the usual, and what it does then.

    At the end of a mail, `accepts` is whether it has taken the mail by then.
    """

    says: bytes = b""
    then: Literal["goes on", "hangs up", "resets", "waits"] = "goes on"
    accepts: bool = False


HANGS_UP: Final = Act(then="hangs up")
RESETS: Final = Act(then="resets")
WAITS: Final = Act(then="waits")

Script = Mapping[Point, Act]

_USUAL: Final[Script] = {
    "banner": Act(b"220 mail.example ESMTP\r\n"),
    "EHLO": Act(b"250-mail.example\r\n250-AUTH PLAIN\r\n250 ENHANCEDSTATUSCODES\r\n"),
    "HELO": Act(b"250 mail.example\r\n"),
    "AUTH": Act(b"235 2.7.0 welcome\r\n"),
    "MAIL": Act(b"250 2.1.0 fine\r\n"),
    "RCPT": Act(b"250 2.1.5 fine\r\n"),
    "DATA": Act(b"354 go ahead\r\n"),
    "body": Act(),
    "end": Act(b"250 2.0.0 taken\r\n", accepts=True),
    "RSET": Act(b"250 2.0.0 fine\r\n"),
    "QUIT": Act(b"221 2.0.0 bye\r\n", then="hangs up"),
}


class _OverError(Exception):
    """The server is done with this connection."""


class _ResetError(_OverError):
    """And forgets it, as one that crashed."""


@dataclass
class ScriptedServer:
    """Follows one script a connection, and keeps the rules when it has run out of scripts.

    `accepted` holds the mails that it took and would deliver, `dialogues` the
    commands that it heard, a list a connection. Both are settled once the
    server is stopped.
    """

    scripts: list[Script]
    port: int = 0
    accepted: list[bytes] = field(default_factory=list)
    dialogues: list[list[str]] = field(default_factory=list)

    def converse(self, lines: BufferedIOBase, out: BufferedIOBase) -> None:
        """Talks with one client until either has enough.

        Raises:
          _ResetError: The connection is to break without an end.
        """
        conversation = _Conversation(self.scripts.pop(0) if self.scripts else {}, lines, out)
        self.dialogues.append(conversation.heard)
        try:
            conversation.act("banner")
            while command := conversation.next_command():
                if conversation.act(command).says.startswith(b"354"):
                    mail = conversation.mail()
                    if conversation.doing("end").accepts:
                        self.accepted.append(mail)
                    conversation.act("end")
        except _ResetError:
            raise
        except (_OverError, OSError):
            return


@dataclass
class _Conversation:
    script: Script
    lines: BufferedIOBase
    out: BufferedIOBase
    heard: list[str] = field(default_factory=list)

    def doing(self, point: Point) -> Act:
        return self.script.get(point, _USUAL[point])

    def act(self, point: Point) -> Act:
        act = self.doing(point)
        self.out.write(act.says)
        self.out.flush()
        if act.then == "waits":
            self.lines.read()
        if act.then == "resets":
            raise _ResetError
        if act.then != "goes on":
            raise _OverError
        return act

    def next_command(self) -> Point | None:
        word = self.lines.readline()[:4].decode("ascii").upper()
        self.heard.append(word)
        return next((point for point in _USUAL if point == word), None)

    def mail(self) -> bytes:
        body = [self.lines.readline()]
        self.act("body")
        while body[-1] != b".\r\n":
            line = self.lines.readline()
            if not line.endswith(b"\r\n"):
                raise _OverError
            body.append(line)
        return b"".join(line.removeprefix(b".") for line in body[:-1])


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = False
    block_on_close = True

    def __init__(self, scripted: ScriptedServer) -> None:
        self.scripted = scripted
        super().__init__(("127.0.0.1", 0), _Handler, bind_and_activate=False)
        # A small window, so that a long mail cannot all be on its way before this end has read its first line.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
        self.server_bind()
        self.server_activate()


class _Handler(socketserver.StreamRequestHandler):
    server: _Server
    timeout = 10  # A client that forgets its connection fails its test instead of holding it for ever.

    def handle(self) -> None:
        try:
            self.server.scripted.converse(self.rfile, self.wfile)
        except _ResetError:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:
            return


@contextmanager
def scripted_server(*scripts: Script) -> Iterator[ScriptedServer]:
    """A listening server; on leaving, every conversation is over and what was accepted is final."""
    scripted = ScriptedServer(list(scripts))
    with _Server(scripted) as server:
        scripted.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005})
        thread.start()
        try:
            yield scripted
        finally:
            server.shutdown()
            thread.join()
