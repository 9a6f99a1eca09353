"""Process 1 of the node: makes its mounts and addresses, starts its programs, starts again what ends, buries orphans.

Run by ``unshare`` as a script with the path of its instructions; it needs nothing beyond Python, so that it is small.
When it ends, the kernel kills the rest and drops the mounts and the network.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

TICK_SECONDS = 0.1
CABLE_SECONDS = 60
LONGEST_PAUSE_SECONDS = 10.0
"""Between two starts of a program that ends at once; the first pause is a second, then each twice the one before."""

STEADY_SECONDS = 30.0
"""A program that ran this long is started again without having earned a longer pause."""


class Program:
    """One program: when it may start, and when it ended."""

    def __init__(self, name: str, command: list[str], after: str | None, log: Path) -> None:
        self.name = name
        self.pid: int | None = None
        self._command, self._after, self._log = command, after, log
        self._began = self._not_before = 0.0
        self._pause = 1.0

    def start_if_due(self, environment: dict[str, str]) -> None:
        if self.pid is not None or time.monotonic() < self._not_before or not answers(self._after):
            return
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                self._command,
                env=environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.pid, self._began = process.pid, time.monotonic()
        # Buried by wait() below like every other child.
        process.returncode = 0

    def ended(self, status: int) -> None:
        now = time.monotonic()
        self._pause = 1.0 if now - self._began > STEADY_SECONDS else min(self._pause * 2, LONGEST_PAUSE_SECONDS)
        self.pid, self._not_before = None, now + self._pause
        code = os.waitstatus_to_exitcode(status)
        print(f"{self.name} ended with {code} after {now - self._began:.0f} s, starts again", flush=True)  # noqa: T201 - its log


def answers(place: str | None) -> bool:
    """Tell whether a socket or ``address:port`` takes connections."""
    if place is None:
        return True
    family, address = (socket.AF_UNIX, place) if place.startswith("/") else (socket.AF_INET, split_port(place))
    with socket.socket(family) as client:
        client.settimeout(1)
        return client.connect_ex(address) == 0


def split_port(place: str) -> tuple[str, int]:
    host, _, port = place.rpartition(":")
    return host, int(port)


def command(*arguments: str, text: str | None = None) -> None:
    subprocess.run(arguments, check=True, input=text, text=True)


def mount(instructions: dict[str, Any]) -> None:
    """Show the node its own folders in place of the machine's."""
    # Volumes are shared between the node and its pods, never with the machine: unshare has cut that tie.
    command("mount", "--make-rshared", "/")
    # The new /run hides what was there, which the state folder or a program may be.
    opened = {target: os.open(source, os.O_PATH) for target, source in instructions["binds"].items()}
    command("mount", "-t", "tmpfs", "-o", "mode=0755", "node", "/run")
    for target, source in opened.items():
        place = Path(target)
        if place.is_relative_to("/run"):
            folder = Path(f"/proc/self/fd/{source}").is_dir()
            (place if folder else place.parent).mkdir(parents=True, exist_ok=True)
            if not folder:
                place.touch()
        command("mount", "--no-canonicalize", "--bind", f"/proc/{os.getpid()}/fd/{source}", target)
        os.close(source)
    # Settings of the machine's kernel, not of a namespace.
    for name in ("kernel", "vm"):
        command("mount", "--bind", f"/proc/sys/{name}", f"/proc/sys/{name}")
        command("mount", "-o", "remount,bind,ro", f"/proc/sys/{name}")
    # The kubelet sets some of them, unless they are as it wants them: it is shown that they are.
    for name, value in instructions["kernel"].items():
        shown = Path("/run/kernel") / name
        shown.parent.mkdir(exist_ok=True)
        shown.write_text(f"{value}\n")
        command("mount", "--bind", str(shown), f"/proc/sys/{name.replace('.', '/')}")


def connect(instructions: dict[str, Any]) -> None:
    """Give the node's end of the cable its address once it is there."""
    device, network = instructions["device"], instructions["network"]
    deadline = time.monotonic() + CABLE_SECONDS
    # /sys shows the machine's devices; /proc those of who asks.
    while not Path(f"/proc/sys/net/ipv4/conf/{device}").exists():
        if time.monotonic() > deadline:
            sys.exit(f"no {device} after {CABLE_SECONDS} s")
        time.sleep(0.02)
    command("ip", "link", "set", "lo", "up")
    command("ip", "address", "add", network["address"], "dev", device)
    command("ip", "link", "set", device, "up")
    command("ip", "route", "add", "default", "via", network["gateway"])
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    command("nft", "-f", "-", text=network["rules"])


def main() -> None:
    instructions: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    # Every child's end wakes the loop below.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    socket.sethostname(instructions["name"])
    mount(instructions)
    connect(instructions)
    environment: dict[str, str] = instructions["environment"]
    logs = Path(instructions["logs"])
    programs = [
        Program(name, one["command"], one["after"], logs / f"{name}.log") for name, one in instructions["programs"].items()
    ]
    while True:
        for program in programs:
            program.start_if_due(environment)
        waiting = any(program.pid is None for program in programs)
        signal.sigtimedwait({signal.SIGCHLD}, TICK_SECONDS if waiting else 60)
        bury(programs)


def bury(programs: list[Program]) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        for program in programs:
            if program.pid == pid:
                program.ended(status)


if __name__ == "__main__":
    main()
