"""The supplier's product API, played on the loopback interface, so that the examples need no network."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

PRODUCTS = Path(__file__).parent / "data" / "products.json"
PAGE_SIZE = 10


@contextmanager
def partner_api() -> Generator[str]:
    """Serve ``GET /products?page=N`` while the block runs and yield the address.

    Answers ``{"items": [...], "next": "/products?page=2" or null}``. The first request for page 2 gets a 503,
    as real partners do at night.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(json.loads(PRODUCTS.read_text(encoding="utf-8"))))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(products: list[object]) -> type[BaseHTTPRequestHandler]:
    outages = {2}

    class Products(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            page = int(parse_qs(url.query).get("page", ["1"])[0])
            if url.path != "/products":
                self.send_error(HTTPStatus.NOT_FOUND)
            elif page in outages:
                outages.discard(page)
                self.send_error(HTTPStatus.SERVICE_UNAVAILABLE)
            else:
                end = page * PAGE_SIZE
                following = f"/products?page={page + 1}" if end < len(products) else None
                body = json.dumps({"items": products[end - PAGE_SIZE : end], "next": following}).encode()
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own signature
            """Keep the job's log to what the job says."""

    return Products
