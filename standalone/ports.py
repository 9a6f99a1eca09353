"""TCP ports of 127.0.0.1."""

import socket

import psutil

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Return whether nothing listens on ``port`` for this machine and a server could."""
    with socket.socket() as client:
        client.settimeout(1)
        # macOS lets a program bind 127.0.0.1 beside another's 0.0.0.0, so binding alone does not tell.
        if client.connect_ex((LOOPBACK, port)) == 0:
            return False
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def listener(port: int) -> str | None:
    """Return who listens on ``port`` as ``name (pid 123)``, or ``None`` where this user may not know."""
    for process in psutil.process_iter():
        try:
            connections = process.net_connections(kind="tcp")
            if any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in connections):
                return f"{process.name()} (pid {process.pid})"
        except psutil.Error:
            continue
    return None
