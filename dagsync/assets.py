"""Which URIs of assets Airflow takes, decided without Airflow: one it refuses is an import error of the whole DAG file."""

from urllib.parse import urlsplit

MAX_URI = 1500
"""Longest name of an asset in Airflow 3.3 (``airflow.sdk.definitions.asset``)."""

_PARTS = {"postgres": 3, "postgresql": 3, "mysql": 2, "trino": 3, "bigquery": 2}
"""What providers want in the path, in number: database, schema and table, for example."""

_WITH_HOST = {"s3", "gs", *_PARTS}


def asset_problem(uri: str) -> str | None:
    """Return why ``uri`` cannot be that of an asset, or ``None``."""
    if not 0 < len(uri) <= MAX_URI or not uri.isascii() or not uri.isprintable() or uri != uri.strip():
        return f"expected an asset such as 's3://bucket/path' of at most {MAX_URI} ASCII characters, found {uri[:60]!r}"
    if uri in {"self", "context"}:
        return f"an asset cannot be called {uri!r} in Airflow"
    try:
        parsed = urlsplit(uri)
        _ = parsed.port
    except ValueError as error:
        return f"asset {uri!r}: {error}"
    if parsed.scheme == "airflow":
        return f"asset {uri!r}: the scheme 'airflow' is reserved"
    if "@" in parsed.netloc:
        return f"asset {parsed.scheme!r}: an address with user or password in it is shown to everybody; leave them out"
    if parsed.scheme in _WITH_HOST and not parsed.netloc:
        return f"asset {uri!r}: expected {parsed.scheme}://… with a host or bucket"
    parts = _PARTS.get(parsed.scheme)
    if parts and (len(parsed.path.split("/")) != parts + 1 or not all(parsed.path.split("/")[1:])):
        return f"asset {uri!r}: expected {parts} names after the host, each behind a slash"
    if parsed.scheme == "file" and (parsed.netloc or not parsed.path.strip("/")):
        return f"asset {uri!r}: expected file:///path"
    return None
