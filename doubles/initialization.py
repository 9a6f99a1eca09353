"""The answer for a resource that exists and is not what it should be yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

from doubles import wire


@dataclass
class _Initialization(grpc.Status):
    """The engine keeps the resource and the reasons, and tries again."""

    details: str
    trailing_metadata: Any
    code: grpc.StatusCode = grpc.StatusCode.UNKNOWN


def abort_partial(context: Any, resource_id: str, inputs: Mapping[str, Any], properties: Any, problems: list[str]) -> NoReturn:
    """Answer as ``ErrorResourceInitFailed`` of the provider protocol asks."""
    failed = provider_pb2.ErrorResourceInitFailed(
        id=resource_id, properties=properties, reasons=problems, inputs=wire.to_struct(inputs)
    )
    packed = any_pb2.Any()
    packed.Pack(failed)
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=problems[0], details=[packed])
    metadata = (("grpc-status-details-bin", status.SerializeToString()),)
    context.abort_with_status(_Initialization(problems[0], metadata))
    raise AssertionError("abort raises")
