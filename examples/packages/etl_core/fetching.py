"""JSON over HTTP, page by page, with retries."""

import ipaddress
import json
import logging
import time
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urljoin, urlsplit
from urllib.request import OpenerDirector, ProxyHandler, build_opener

from etl_core.job import DataError

log = logging.getLogger(__name__)

TRANSIENT = {429, 502, 503, 504}


def get_json(url: str, *, attempts: int = 4, wait_seconds: float = 0.2) -> Any:
    """Return the decoded answer to ``GET url``; transient errors are tried again, waiting twice as long each time.

    Raises:
        DataError: the server said no, did not answer, or did not answer in JSON.
    """
    if urlsplit(url).scheme not in {"http", "https"}:
        raise DataError(f"{url}: expected an http or https address")
    for attempt in range(1, attempts + 1):
        try:
            with _opener(url).open(url, timeout=30) as answer:
                return json.load(answer)
        except (URLError, TimeoutError) as error:
            if attempt == attempts or (isinstance(error, HTTPError) and error.code not in TRANSIENT):
                raise DataError(f"{url}: expected an answer, got {error} (attempt {attempt} of {attempts})") from error
            log.warning("%s: %s, attempt %d of %d, trying again", url, error, attempt, attempts)
            time.sleep(wait_seconds * 2 ** (attempt - 1))
        except ValueError as error:
            raise DataError(f"{url}: expected JSON, got something else ({error})") from error
    raise AssertionError("the last attempt returns or raises")


def pages(url: str) -> Iterator[list[dict[str, Any]]]:
    """Yield the ``items`` of each page, following ``next`` until it is null."""
    following: str | None = url
    while following:
        page = get_json(following)
        yield page["items"]
        following = urljoin(url, page["next"]) if page["next"] else None


def _opener(url: str) -> OpenerDirector:
    """An opener that obeys the environment's proxy, except to this machine, which no proxy can reach for us."""
    host = urlsplit(url).hostname or ""
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    return build_opener(ProxyHandler({}) if local else ProxyHandler())
