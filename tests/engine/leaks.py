"""Finds secrets in text, also where an encoding hides them from a plain search."""

import base64
import contextlib
import html
import json
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus

URL_SAFE = str.maketrans("+/", "-_")


def forms(secret: str) -> frozenset[str]:
    """Return the texts that give ``secret`` away: as it is, escaped for URLs, JSON or HTML, in hexadecimal and base64."""
    escaped = json.dumps(secret)[1:-1]
    # Go's JSON also escapes what HTML would read.
    go = escaped.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")
    texts = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), escaped, go, html.escape(secret)}
    raw = secret.encode()
    inside = {form for key in _decoded(secret) for form in _base64_forms(key)}
    return frozenset(
        texts | {raw.hex(), raw.hex().upper()} | _base64_forms(raw) | {secret.translate(str.maketrans("+/", "-_"))} | inside
    )


def _decoded(secret: str) -> Iterator[bytes]:
    """Yield the bytes that ``secret`` may be a text of: a key in a PEM file is those, behind others, in base64."""
    with contextlib.suppress(ValueError):
        yield bytes.fromhex(secret)
    with contextlib.suppress(ValueError):
        yield base64.b64decode(secret, validate=True)


def _base64_forms(raw: bytes) -> set[str]:
    """Return what base64 makes of ``raw`` wherever it stands in a longer text: its three alignments, both alphabets."""
    found: set[str] = set()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        # The first and last characters also carry bits of the neighbours.
        core = encoded[(before * 8 + 5) // 6 :]
        core = core if (before + len(raw)) % 3 == 0 else core[:-1]
        found |= {core, core.translate(URL_SAFE)}
    return found


def leaks(texts: Mapping[str, str], secrets: Iterable[str]) -> list[str]:
    """Return where in ``texts`` a secret stands, without repeating it."""
    wanted = [(number, form) for number, secret in enumerate(secrets) for form in forms(secret)]
    return sorted({f"secret {number} in {name}" for name, text in texts.items() for number, form in wanted if form in text})
