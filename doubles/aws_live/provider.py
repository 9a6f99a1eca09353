"""The provider itself: what is of the live services is made on the server, all else as ``doubles.aws`` does."""
# ruff: noqa: N802 - the method names are the provider protocol's

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from botocore.exceptions import BotoCoreError, ClientError
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from doubles import wire
from doubles.aws import AwsDouble
from doubles.aws_live import ecr, iam, s3, secrets_manager
from doubles.aws_live.account import Account
from doubles.aws_live.agreement import inputs_as_found
from doubles.aws_live.kind import Found, Kind
from doubles.initialization import abort_partial
from doubles.provider import Call, Ledger, RefusedError, Values

SERVICES = {"ecr": ecr, "iam": iam, "s3": s3, "secretsmanager": secrets_manager}


class LiveAwsDouble(AwsDouble):
    """pulumi-aws on an account of a moto server."""

    def __init__(self, ledger: Ledger, account: Account) -> None:
        super().__init__(ledger, account.number)
        self.account = account

    def problems(self, token: str, news: Values) -> Iterator[tuple[str, str]]:
        yield from super().problems(token, news)
        try:
            kind = _kind(token)
        except RefusedError as error:
            yield "type", str(error)
            return
        for key in sorted(news.keys() - kind.carried_out - {"__defaults"}) if kind else ():
            yield key, f"would not be carried out: add it to {token} in doubles/aws_live"

    def Create(self, request: Any, context: Any) -> Any:
        token = request.type
        kind = self._may(context, lambda: _kind(token))
        if kind is None or request.preview:
            return super().Create(request, context)
        inputs = wire.from_struct(request.properties)
        values = wire.plain(inputs)
        with self.ledger.lock:
            self._may(context, lambda: self.admit(token, values, dry_run=False))
            with self._answering(context):
                resource_id = kind.create(self.account, values)
            self._record("create", request, resource_id, values)
            try:
                kind.complete(self.account, resource_id, values)
                found = self._found(kind, token, resource_id)
            except (ClientError, BotoCoreError, RefusedError) as error:
                # Without its id in the state, the next attempt would make a second one.
                abort_partial(context, resource_id, inputs, self._state(inputs, {}), [str(error)])
            return provider_pb2.CreateResponse(id=resource_id, properties=_state(inputs, found))

    def Update(self, request: Any, context: Any) -> Any:
        kind = self._may(context, lambda: _kind(request.type))
        if kind is None:
            return super().Update(request, context)
        inputs = wire.from_struct(request.news)
        values = wire.plain(inputs)
        if request.preview:
            # What was made and not read to its end has outputs that only the update will tell.
            known = {**self.unknown(request.type, values), **wire.from_struct(request.olds)}
            return provider_pb2.UpdateResponse(properties=self._state({**known, **inputs}, {}))
        with self.ledger.lock, self._answering(context):
            kind.update(self.account, request.id, values)
            self._record("update", request, request.id, values)
            return provider_pb2.UpdateResponse(properties=_state(inputs, self._found(kind, request.type, request.id)))

    def Read(self, request: Any, context: Any) -> Any:
        kind = self._may(context, lambda: _kind(request.type))
        if kind is None:
            return super().Read(request, context)
        with self.ledger.lock, self._answering(context):
            found = kind.read(self.account, request.id)
            if found is None:
                self.ledger.live.pop((request.type, request.id), None)
                return provider_pb2.ReadResponse()
            inputs = wire.from_struct(request.inputs)
            known = inputs_as_found(inputs, found.inputs) if inputs else dict(found.inputs)
            return provider_pb2.ReadResponse(id=request.id, properties=_state(known, found), inputs=wire.to_struct(known))

    def Delete(self, request: Any, context: Any) -> Any:
        kind = self._may(context, lambda: _kind(request.type))
        if kind is None:
            return super().Delete(request, context)
        values = wire.plain(wire.from_struct(request.old_inputs if request.old_inputs.fields else request.properties))
        with self.ledger.lock, self._answering(context):
            kind.delete(self.account, request.id, values)
            self._record("delete", request, request.id, values)
        return empty_pb2.Empty()

    def invoke(self, token: str, arguments: Values) -> Values:
        service = SERVICES.get(_service(token))
        if service is None:
            return super().invoke(token, arguments)
        if token not in service.LOOKUPS:
            raise RefusedError(f"{token} has no answer from the server: add one to doubles/aws_live")
        try:
            answer = service.LOOKUPS[token](self.account, arguments)
        except ClientError as error:
            raise RefusedError(str(error)) from error
        self.ledger.generated += [wire.plain(value) for value in answer.values() if wire.is_secret(value)]
        return answer

    def _found(self, kind: Kind, token: str, resource_id: str) -> Found:
        found = kind.read(self.account, resource_id)
        if found is None:
            raise RefusedError(f"{token} {resource_id!r} was made and is not there")
        return found

    def _record(self, verb: str, request: Any, resource_id: str, values: Values) -> None:
        self.ledger.calls.append(Call(verb, request.type, request.name, values))
        if verb == "delete":
            self.ledger.live.pop((request.type, resource_id), None)
        else:
            self.ledger.live[request.type, resource_id] = values

    @contextmanager
    def _answering(self, context: Any) -> Generator[None]:
        """Answer with AWS's own words where it refuses."""
        try:
            yield
        except (ClientError, BotoCoreError, RefusedError) as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))


def _service(token: str) -> str:
    return token.split(":")[1].partition("/")[0]


def _kind(token: str) -> Kind | None:
    """Return what makes a type on the server, ``None`` where its service is not live.

    Raises RefusedError for a type of a live service that nothing makes: a resource that only seems to exist tests nothing.
    """
    service = SERVICES.get(_service(token))
    if service is None:
        return None
    if token not in service.KINDS:
        raise RefusedError(f"{token} is not made on the server: add it to {service.__name__}")
    return service.KINDS[token]


def _state(inputs: Values, found: Found) -> Any:
    """Return what the engine keeps: the inputs as they were marked, what AWS says of them, and what only AWS knows."""
    state = {**found.inputs, **inputs_as_found(inputs, found.inputs), **found.outputs}
    return wire.to_struct({key: value for key, value in state.items() if key != "__defaults" and value is not None})
