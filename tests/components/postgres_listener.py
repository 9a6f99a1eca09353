"""As much of a PostgreSQL server as a client sees before it logs in: TLS is offered, taken or refused."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from cluster.certificates import KeyPair

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""Source: PostgreSQL documentation, "Message Formats", SSLRequest."""


@dataclass
class Listener:
    port: int
    greeted: list[bytes] = field(default_factory=list[bytes])
    """First words of each client that accepted the certificate: they hold user and database."""

    in_plain_text: list[bytes] = field(default_factory=list[bytes])
    """First words of each client that did not ask for TLS."""


@contextlib.contextmanager
def listening(pair: KeyPair) -> Iterator[Listener]:
    """Serve TLS with a certificate on every address of the loopback network until the block ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    with socket.create_server(("", 0)) as server:
        listener = Listener(server.getsockname()[1])
        thread = threading.Thread(target=_serve, args=(server, context, listener), daemon=True)
        thread.start()
        try:
            yield listener
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=60)


def _serve(server: socket.socket, context: ssl.SSLContext, listener: Listener) -> None:
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        with client, contextlib.suppress(OSError):
            client.settimeout(60)
            first = client.recv(8)
            if first != SSL_REQUEST:
                listener.in_plain_text.append(first)
                continue
            client.sendall(b"S")
            with context.wrap_socket(client, server_side=True) as secured:
                if words := secured.recv(512):
                    listener.greeted.append(words)
