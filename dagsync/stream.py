"""What a job's process writes: lines of output, and between them records of the job's own loggers and of how it ended.

Both travel in one pipe, so that they arrive in the order they were written. A record is a line that starts with a token
only this run knows; whatever a job prints cannot pass for one.
"""

import json
import os
from collections import deque
from collections.abc import Callable
from typing import Any

Log = Callable[[int, str, str], None]
"""Called with the level (as of ``logging``), the logger's name and the text of each line."""

MAX_LINE_BYTES = 64 * 1024
"""A longer line is logged in pieces."""

MAX_RECORD_CHARACTERS = 8 * 1024
"""Longest text of one record; JSON may make six bytes of a character, and a record must fit into one line."""

TAIL_LINES = 20
INFO = 20
ERROR = 40


class RecordWriter:
    """Writes records, in the job's process."""

    def __init__(self, descriptor: int, token: str) -> None:
        self._descriptor = descriptor
        self._token = token

    def log(self, level: int, name: str, text: str) -> None:
        for start in range(0, len(text) or 1, MAX_RECORD_CHARACTERS):
            self._write({"level": level, "name": name[:200], "text": text[start : start + MAX_RECORD_CHARACTERS]})

    def failed(self, text: str) -> None:
        """Record why the job failed."""
        self._write({"failure": text[:MAX_RECORD_CHARACTERS]})

    def _write(self, record: dict[str, Any]) -> None:
        # One call, so that lines of other processes come before or after, not in between.
        data = f"{self._token}{json.dumps(record)}\n".encode()
        while data:
            data = data[os.write(self._descriptor, data) :]


class Stream:
    """Takes the bytes of a job's process apart, in the process of the task."""

    def __init__(self, token: str, name: str, log: Log) -> None:
        self._token = token.encode()
        self._name = name
        self._log = log
        self._pending = b""
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self.failure: str | None = None
        """Why the job failed, as far as it could say so itself."""

    def feed(self, data: bytes) -> None:
        """Log all lines that ``data`` completes."""
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            self._take(line)
        while len(self._pending) > MAX_LINE_BYTES:
            # Never within a record that follows output without a line break.
            start = self._pending.find(self._token)
            end = start if start > 0 else MAX_LINE_BYTES
            self._line(self._pending[:end])
            self._pending = self._pending[end:]

    def close(self) -> None:
        """Log a last line that was not ended."""
        rest, self._pending = self._pending, b""
        if rest:
            self._take(rest)

    @property
    def last_lines(self) -> str:
        """The last lines of output, indented, below a heading; empty if there was none."""
        return "".join(["\nits last lines:", *(f"\n  {line[:500]}" for line in self._tail)]) if self._tail else ""

    def _take(self, line: bytes) -> None:
        text, found, record = line.partition(self._token)
        # Output that was not ended by a line break stands before the record.
        if text or not found:
            self._line(text)
        if found:
            self._record(record)

    def _line(self, line: bytes) -> None:
        for start in range(0, len(line) or 1, MAX_LINE_BYTES):
            piece = line[start : start + MAX_LINE_BYTES].removesuffix(b"\r")
            text = piece.decode(errors="backslashreplace").replace("\0", "\\x00")
            self._tail.append(text)
            self._log(INFO, self._name, text)

    def _record(self, line: bytes) -> None:
        try:
            record: Any = json.loads(line)
        except ValueError:
            # Another process wrote into the middle of it.
            self._line(line)
            return
        if "failure" in record:
            self.failure = record["failure"]
        else:
            self._log(record["level"], record["name"], record["text"])
            if record["level"] < ERROR or "Traceback" not in record["text"]:
                self._tail.extend(record["text"].splitlines())
