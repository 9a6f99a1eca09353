"""Ports that tests are given."""

import socket
import subprocess
import sys

import pytest

from tests import ports

MANY = 400


def test_ports_are_of_one_process_while_it_lives() -> None:
    program = f"from tests.ports import free_ports; print(*free_ports({MANY}), flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        theirs = {int(port) for port in other.stdout.readline().split()}
        ours = set(ports.free_ports(MANY))
        other.communicate("\n")
    assert len(theirs) == MANY
    assert len(ours) == MANY
    assert not ours & theirs


def test_port_that_a_server_listens_at_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = ports.free_ports(2)
    monkeypatch.setattr(ports, "PORTS", (first, second))
    monkeypatch.setattr(ports, "_given", set[int]())
    with socket.create_server(("127.0.0.1", first)):
        assert ports.free_port() == second
        with pytest.raises(StopIteration):
            ports.free_port()
