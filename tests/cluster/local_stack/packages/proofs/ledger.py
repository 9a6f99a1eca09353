"""What jobs did, kept in a bucket outside Airflow: a run that was lost or doubled shows there."""

import time
import urllib.error
import urllib.request
import uuid

WAIT_SECONDS = 900


class Ledger:
    """Entries below one address, each written once: ``<name>/<what>/<unique>``."""

    def __init__(self, address: str, name: str) -> None:
        self._address = f"{address}/{name}"
        # Whatever proxy the image knows is not for the cluster.
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def write(self, what: str) -> None:
        request = urllib.request.Request(f"{self._address}/{what}/{uuid.uuid4()}", data=b"", method="PUT")
        self._open(request, timeout=60).close()

    def wait_for(self, what: str) -> None:
        """Wait until somebody else wrote ``<name>/<what>``. Raises TimeoutError."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not self._has(what):
            if time.monotonic() > deadline:
                raise TimeoutError(f"nobody wrote {what} in {WAIT_SECONDS} s")
            time.sleep(0.5)

    def _has(self, what: str) -> bool:
        try:
            self._open(f"{self._address}/{what}", timeout=60).close()
        except urllib.error.HTTPError as error:
            # Who may not list a bucket is not told that an object is missing either.
            if error.code in (403, 404):
                return False
            raise
        return True
