"""Ports of this machine."""

import os
import socket

import pytest

from standalone import ports


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_port_somebody_listens_on_is_not_free_and_he_is_named(address: str) -> None:
    with socket.create_server((address, 0)) as server:
        port = server.getsockname()[1]
        assert not ports.is_free(port)
        assert f"(pid {os.getpid()})" in (ports.listener(port) or "")
    assert ports.is_free(port)
    assert ports.listener(port) is None
