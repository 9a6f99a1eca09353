"""moto's server on this machine, by TLS as AWS and also without, whose buckets heed the conditions of their policies."""

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flask
import pytest
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import FakeBucket
from werkzeug.serving import WSGIRequestHandler, make_server

from cluster.certificates import Authority


@dataclass(frozen=True)
class MotoServer:
    address: str
    plain_address: str
    """The same server without TLS."""

    certificates: Path
    """The authority of its certificate."""


class _Quiet(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        pass


@contextmanager
def moto_server(folder: Path) -> Iterator[MotoServer]:
    """Serve until the block ends; ``folder`` takes the certificates."""
    authority = Authority(folder)
    pair = authority.server("moto", ("localhost", "127.0.0.1"))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(pair.certificate, pair.key)
    app = DomainDispatcherApplication(create_backend_app)
    with pytest.MonkeyPatch.context() as patch, ExitStack() as serving:
        # Otherwise the policies that AWS has in every account are in none.
        patch.setenv("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
        patch.setattr(FakeBucket, "get_permission", _permission)
        secure, plain = (serving.enter_context(_served(app, context)) for context in (tls, None))
        yield MotoServer(f"https://127.0.0.1:{secure}", f"http://127.0.0.1:{plain}", authority.certificate)


@contextmanager
def _served(app: Any, tls: ssl.SSLContext | None) -> Iterator[int]:
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet, ssl_context=tls)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def _permission(bucket: Any, action: str, resource: str) -> PermissionResult:
    """Judge by the statements whose conditions hold; moto refuses whatever has a condition."""
    if bucket.policy is None:
        return PermissionResult.NEUTRAL
    document = json.loads(bucket.policy)
    holding = [
        {key: value for key, value in statement.items() if key != "Condition"}
        for statement in document["Statement"]
        if _holds(statement.get("Condition", {}))
    ]
    return IAMPolicy(json.dumps({**document, "Statement": holding})).is_action_permitted(action, resource)


def _holds(condition: Mapping[str, Any]) -> bool:
    match condition:
        case {} if not condition:
            return True
        case {"Bool": {"aws:SecureTransport": wanted}}:
            return str(flask.request.is_secure).lower() == wanted
        case _:
            raise NotImplementedError(f"no evaluation of the condition {condition}")
