"""Receivers of alerts on this machine: a web server and a mail server that keep what they get. No tests here."""

from __future__ import annotations

import base64
import contextlib
import email
import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PASSWORD = "a-secret-of-nobody"


@dataclass
class Inbox:
    """What a receiver got; `status` is what it answers from now on."""

    address: str = ""
    status: int = 200
    posts: list[Any] = field(default_factory=list)
    mails: list[Message] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)


@contextlib.contextmanager
def web_server(port: int = 0) -> Iterator[Inbox]:
    inbox = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if inbox.status == 200:
                inbox.posts.append(said)
            self.send_response(inbox.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with _serving(ThreadingHTTPServer(("127.0.0.1", port), Handler)) as found:
        inbox.address = f"http://127.0.0.1:{found}/services/{PASSWORD}"
        yield inbox


@contextlib.contextmanager
def mail_server(certificate: Path | None = None) -> Iterator[Inbox]:
    """With a certificate (PEM, key and all) it offers STARTTLS. It knows the user `dpm` with PASSWORD."""
    inbox = Inbox()

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            is_encrypted = False
            self.say("220 here")
            while line := self.rfile.readline().decode().strip():
                verb = line.split()[0].upper()
                if verb == "EHLO":
                    offers = ["STARTTLS"] if certificate and not is_encrypted else []
                    lines = ["here", *offers, "AUTH PLAIN"]
                    for one in lines[:-1]:
                        self.say(f"250-{one}")
                    self.say(f"250 {lines[-1]}")
                elif verb == "STARTTLS":
                    self.say("220 go on")
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                    context.load_cert_chain(str(certificate))
                    self.connection = context.wrap_socket(self.connection, server_side=True)
                    self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)
                    is_encrypted = True
                elif verb == "AUTH":
                    _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
                    is_right = (user, password) == ("dpm", PASSWORD)
                    inbox.logins.append(user)
                    self.say("235 welcome" if is_right else f"535 {password} is wrong")
                elif verb == "DATA":
                    self.say("354 go on")
                    body = b""
                    while (part := self.rfile.readline()) != b".\r\n":
                        body += part
                    if inbox.status == 200:
                        inbox.mails.append(email.message_from_bytes(body))
                        inbox.encrypted.append(is_encrypted)
                    self.say("250 taken" if inbox.status == 200 else f"{inbox.status} not now")
                elif verb == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 ok")

    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as found:
        inbox.address = f"smtp://dpm:{PASSWORD}@127.0.0.1:{found}"
        yield inbox


@contextlib.contextmanager
def _serving(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
