"""The part that all doubles share: the provider protocol, over hooks that deal in plain values."""
# ruff: noqa: N802 - the method names are the provider protocol's

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from doubles import wire
from doubles.differences import Difference, differences

Values = Mapping[str, Any]

SECONDS_TO_MAKE = {
    "aws:acm/certificateValidation:CertificateValidation": 1.5,
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": 2.5,
    "aws:rds/instance:Instance": 1.5,
    "kubernetes:apps/v1:StatefulSet": 1.5,
    "kubernetes:batch/v1:Job": 0.5,
    "kubernetes:helm.sh/v3:Release": 1.5,
}
"""What the engine waits for in a real cloud; whatever forgot to wait for it is then seen to come first."""


@dataclass(frozen=True)
class Call:
    """One change a provider was asked to make for real; previews are not recorded."""

    verb: str
    """``create``, ``update`` or ``delete``."""

    type: str
    name: str
    inputs: Values = field(repr=False)


@dataclass
class Ledger:
    """What exists at all providers of one test, and how it came to be."""

    calls: list[Call] = field(default_factory=list[Call])
    live: dict[tuple[str, str], Values] = field(default_factory=dict[tuple[str, str], Values])
    """Type and id to inputs."""

    generated: list[str] = field(default_factory=list[str])
    """Every secret value a provider made up."""

    complete: bool = True
    """False where resources outlive this process: what is not in the ledger may exist all the same."""

    lock: threading.RLock = field(default_factory=threading.RLock)

    def of_type(self, token: str) -> dict[str, Values]:
        return {resource_id: inputs for (kind, resource_id), inputs in self.live.items() if kind == token}


class RefusedError(Exception):
    """What a provider answers instead of doing what it was asked."""


class ProviderDouble(provider_pb2_grpc.ResourceProviderServicer):
    """A provider that keeps its resources in a ledger. Subclasses say what their cloud would say."""

    package: str

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.config: dict[str, Any] = {}

    # What subclasses answer; values are plain, without marks of secrecy.

    def defaults(self, token: str, name: str, news: Values, olds: Values) -> Values:
        """Return inputs that the provider fills in itself."""
        return {}

    def problems(self, token: str, news: Values) -> Iterator[tuple[str, str]]:
        """Yield property and reason for every input that cannot be."""
        yield from ()

    def replaces(self, token: str, difference: Difference, news: Values) -> bool:
        """Tell whether this change needs a new resource."""
        return False

    def replaced_in_place(self, token: str, olds: Values, news: Values) -> bool:
        """Tell whether old and new cannot exist side by side, so that the old one goes first."""
        return False

    def identity(self, token: str, name: str, inputs: Values) -> str:
        raise NotImplementedError

    def computed(self, token: str, name: str, resource_id: str, inputs: Values) -> Values:
        """Return the outputs beyond the inputs."""
        return {}

    def unknown(self, token: str, inputs: Values) -> Values:
        """Return those outputs before the resource exists: each a mark for not known yet."""
        return {}

    def compared(self, inputs: Values) -> Values:
        """Return the inputs that a difference is looked for in."""
        return {key: value for key, value in inputs.items() if key != "__defaults"}

    def admit(self, token: str, inputs: Values, *, dry_run: bool) -> None:
        """Raise RefusedError where the cloud would refuse to make or change this."""

    def release(self, token: str, resource_id: str, inputs: Values) -> None:
        """Raise RefusedError where the cloud would refuse to delete this."""

    def invoke(self, token: str, arguments: Values) -> Values:
        raise RefusedError(f"the double of {self.package} has no answer to {token}: add one to its file in doubles/")

    def config_replaces(self, difference: Difference, olds: Values, news: Values) -> bool:
        """Tell whether this change of the provider's own configuration leads to other resources."""
        return False

    # The protocol.

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="99.0.0")

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema="{}")

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        olds = wire.plain(wire.from_struct(request.old_inputs if request.old_inputs.fields else request.olds))
        news = wire.plain(wire.from_struct(request.news))
        found = list(differences(olds, news))
        return diff_response(found, [one for one in found if self.config_replaces(one, olds, news)], in_place=False)

    def Configure(self, request: Any, context: Any) -> Any:
        self.config |= wire.plain(wire.from_struct(request.args))
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:
        token, name = request.type, request.name
        news, olds = wire.from_struct(request.news), wire.from_struct(request.olds)
        failures = [
            provider_pb2.CheckFailure(property=path, reason=reason) for path, reason in self.problems(token, wire.plain(news))
        ]
        inputs = wire.merged(news, self.defaults(token, name, wire.plain(news), wire.plain(olds)))
        return provider_pb2.CheckResponse(inputs=wire.to_struct(inputs), failures=failures)

    def Diff(self, request: Any, context: Any) -> Any:
        olds, news = (wire.plain(wire.from_struct(struct)) for struct in (request.old_inputs, request.news))
        found = list(differences(self.compared(olds), self.compared(news)))
        replacing = self._may(context, lambda: [one for one in found if self.replaces(request.type, one, news)])
        in_place = bool(replacing) and self.replaced_in_place(request.type, olds, news)
        return diff_response(found, replacing, in_place=in_place)

    def Create(self, request: Any, context: Any) -> Any:
        token, name = request.type, request.name
        inputs = wire.from_struct(request.properties)
        values = wire.plain(inputs)
        if not request.preview:
            time.sleep(SECONDS_TO_MAKE.get(token, 0))
        with self.ledger.lock:
            self._may(context, lambda: self.admit(token, values, dry_run=request.preview))
            if request.preview:
                return provider_pb2.CreateResponse(properties=self._state(inputs, self.unknown(token, values)))
            resource_id = self.identity(token, name, values)
            if (token, resource_id) in self.ledger.live:
                context.abort(grpc.StatusCode.ALREADY_EXISTS, f"{token} {resource_id!r} already exists")
            self.ledger.live[token, resource_id] = values
            self.ledger.calls.append(Call("create", token, name, values))
            state = self._state(inputs, self.computed(token, name, resource_id, values))
            return provider_pb2.CreateResponse(id=resource_id, properties=state)

    def Update(self, request: Any, context: Any) -> Any:
        token, name = request.type, request.name
        inputs = wire.from_struct(request.news)
        values = wire.plain(inputs)
        with self.ledger.lock:
            if self.ledger.complete and (token, request.id) not in self.ledger.live:
                context.abort(grpc.StatusCode.NOT_FOUND, f"{token} {request.id!r} does not exist")
            self._may(context, lambda: self.admit(token, values, dry_run=request.preview))
            # What was computed once stays: an update draws no new password.
            olds = wire.from_struct(request.olds)
            outputs = {key: olds[key] for key in self.unknown(token, values) if key in olds}
            if not request.preview:
                self.ledger.live[token, request.id] = values
                self.ledger.calls.append(Call("update", token, name, values))
                outputs |= self.updated(token, request.id, values)
            return provider_pb2.UpdateResponse(properties=self._state(inputs, outputs))

    def updated(self, token: str, resource_id: str, inputs: Values) -> Values:
        """Return the outputs that an update changes."""
        return {}

    def Delete(self, request: Any, context: Any) -> Any:
        token = request.type
        with self.ledger.lock:
            values = self.ledger.live.get((token, request.id))
            if values is None and not self.ledger.complete:
                return empty_pb2.Empty()
            if values is None:
                context.abort(grpc.StatusCode.NOT_FOUND, f"{token} {request.id!r} does not exist")
                return empty_pb2.Empty()
            self._may(context, lambda: self.release(token, request.id, values))
            del self.ledger.live[token, request.id]
            self.ledger.calls.append(Call("delete", token, request.name, values))
        return empty_pb2.Empty()

    def Read(self, request: Any, context: Any) -> Any:
        token = request.type
        inputs = wire.from_struct(request.inputs)
        state = {**self.computed(token, request.name, request.id, wire.plain(inputs)), **wire.from_struct(request.properties)}
        return provider_pb2.ReadResponse(id=request.id, properties=wire.to_struct(state), inputs=request.inputs)

    def Invoke(self, request: Any, context: Any) -> Any:
        answer = self._may(context, lambda: self.invoke(request.tok, wire.plain(wire.from_struct(request.args))))
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(wire.to_struct(answer))
        return response

    @staticmethod
    def _may(context: Any, act: Any) -> Any:
        try:
            return act()
        except RefusedError as refusal:
            return context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(refusal))

    @staticmethod
    def _state(inputs: Values, outputs: Values) -> Any:
        return wire.to_struct({key: value for key, value in {**inputs, **outputs}.items() if key != "__defaults"})


def diff_response(found: list[Difference], replacing: list[Difference], *, in_place: bool) -> Any:
    """Return the engine's form of what changed."""
    changes = provider_pb2.DiffResponse.DIFF_SOME if found else provider_pb2.DiffResponse.DIFF_NONE
    kind_of = provider_pb2.PropertyDiff.Kind.Value
    kinds = {str(one): kind_of(f"{one.kind}_REPLACE" if one in replacing else one.kind) for one in found}
    return provider_pb2.DiffResponse(
        changes=changes,
        diffs=sorted({str(one.path[0]) for one in found}),
        replaces=[str(one) for one in replacing],
        deleteBeforeReplace=in_place,
        hasDetailedDiff=True,
        detailedDiff={path: provider_pb2.PropertyDiff(kind=kind, inputDiff=True) for path, kind in kinds.items()},
    )
