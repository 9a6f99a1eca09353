"""Where Airflow is reached: a process of ours that forwards a port, left running between commands."""

import os
import signal
import subprocess
import sys

import psutil

from stack import forwarding
from stack.clusters import Target
from stack.errors import PortBusyError, UnhealthyError
from stack.state import REPOSITORY, Record, StateFolder
from standalone import health, ports

DEFAULT_PORT = 8080
SEARCHED_PORTS = 20
START_SECONDS = 30
STOP_SECONDS = 10


def forwarder(record: Record) -> psutil.Process | None:
    """Return the process that forwards, if it lives."""
    if record.forward_pid is None or record.forward_started is None:
        return None
    try:
        process = psutil.Process(record.forward_pid)
        return process if abs(process.create_time() - record.forward_started) < 1 else None
    except psutil.Error:
        return None


def choose_port(wanted: int | None, before: int | None) -> int:
    """Return ``wanted``, else the port of last time, else the first free one from 8080. Raises PortBusyError."""
    if wanted is not None:
        if not ports.is_free(wanted):
            listener = ports.listener(wanted) or "another program"
            raise PortBusyError(f"port {wanted}: {listener} listens there", "Choose another: PORT=8090")
        return wanted
    last = DEFAULT_PORT + SEARCHED_PORTS - 1
    candidates = [*([before] if before else []), *range(DEFAULT_PORT, last + 1)]
    if free := next((port for port in candidates if ports.is_free(port)), None):
        return free
    raise PortBusyError(f"ports {DEFAULT_PORT} to {last} are all taken", "Name a free one: PORT=9000")


def start(folder: StateFolder, stack: str, target: Target, namespace: str, port: int) -> tuple[int, float]:
    """Start the process and return its pid and creation time once the port answers. Raises UnhealthyError."""
    forward = forwarding.command(kubeconfig=target.kubeconfig, context=target.context, namespace=namespace, port=port)
    command = [sys.executable, "-m", "stack.forwarding", "--", *forward]
    log = folder.forward_log(stack)
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - this very Python, with words of ours
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=REPOSITORY, start_new_session=True
        )
    answering = health.poll(
        lambda: (process.poll(), ports.is_free(port)), lambda seen: seen[0] is not None or not seen[1], START_SECONDS
    )
    if answering[0] is not None or answering[1]:
        raise UnhealthyError(f"port {port} cannot be forwarded", f"The log is {log}. By hand: {' '.join(forward)}")
    return process.pid, psutil.Process(process.pid).create_time()


def stop(record: Record) -> bool:
    """End the process; tell whether there was one."""
    process = forwarder(record)
    if process is None:
        return False
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except psutil.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    return True
