"""A run that is late is told to somebody while it goes on: by the scheduler, the triggerer and a mail."""

import socketserver
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from shutil import rmtree

import pytest

from tests.airflow.server import Airflow, until

JOB = """
import os
import time
from pathlib import Path
from dagsync import Job

def main(argv):
    while not (Path(os.environ["AIRFLOW_HOME"]) / "may-end").exists():
        time.sleep(0.5)

JOB = Job(main, "Takes its time", deadline={deadline}, on_failure=[{{"via": "email", "to": "etl@example.com"}}])
"""


class _Smtp(socketserver.StreamRequestHandler):
    """As much of a mail server as smtplib asks for."""

    def handle(self) -> None:
        self.wfile.write(b"220 ready\r\n")
        while line := self.rfile.readline():
            match line[:4].upper():
                case b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = iter(self.rfile.readline, b".\r\n")
                    self.server.mails.append(b"".join(lines).decode())  # pyright: ignore[reportAttributeAccessIssue]
                case b"QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                case _:
                    pass
            self.wfile.write(b"250 ok\r\n")


class Mailbox(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Smtp)
        self.mails: list[str] = []


@pytest.fixture(scope="module")
def mailbox() -> Generator[Mailbox]:
    with Mailbox() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def watched(airflow: Airflow, packages: Path, mailbox: Mailbox) -> Generator[Airflow]:
    """The running Airflow with a triggerer that can send mail, and two jobs: one has no time, the other enough."""
    folder = packages / "late" / "jobs"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    for name, deadline in (("report", 1), ("patient", 3600)):
        (folder / f"{name}.py").write_text(JOB.format(deadline=deadline))
    assert airflow.run(sys.executable, "-m", "dagsync", "sync").returncode == 0
    for name in ("late_report", "late_patient"):
        until(lambda name=name: airflow.client.get(f"/api/v2/dags/{name}").is_success, f"{name} is known", airflow, 60)
    port = mailbox.server_address[1]
    options = "disable_ssl=true&disable_tls=true&from_email=airflow%40example.com"
    airflow.launch("triggerer", AIRFLOW_CONN_SMTP_DEFAULT=f"smtp://127.0.0.1:{port}?{options}")
    yield airflow
    airflow.end("triggerer")
    rmtree(packages / "late")
    airflow.run(sys.executable, "-m", "dagsync", "sync")


@pytest.mark.timeout(600)
def test_missed_deadline_is_told_while_the_run_goes_on(watched: Airflow, mailbox: Mailbox) -> None:
    patient, late = watched.trigger("late_patient"), watched.trigger("late_report")
    until(lambda: mailbox.mails, "a mail comes", watched, 180)
    (mail,) = mailbox.mails
    assert f"Subject: DAG late_report missed its deadline, run {late}" in mail.replace("\r\n ", " ")
    assert "To: etl@example.com" in mail
    assert watched.get(f"/dags/late_report/dagRuns/{late}")["state"] in {"queued", "running"}
    (watched.home / "may-end").touch()
    assert watched.finished("late_report", late) == "success"
    assert watched.finished("late_patient", patient) == "success"
    assert len(mailbox.mails) == 1
