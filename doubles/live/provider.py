"""The provider itself: the protocol's calls, carried out on an API server."""
# ruff: noqa: N802 - the method names are the provider protocol's

import contextlib
import secrets
import threading
from collections.abc import Callable, Generator
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from doubles import sdk_types, wire
from doubles.differences import Difference, differences
from doubles.initialization import abort_partial
from doubles.kubernetes import KubernetesDouble
from doubles.live import state
from doubles.live.annotations import AnnotationError, Asked
from doubles.live.engine_log import EngineLog
from doubles.live.objects import ApiError, Objects, UnreachableError
from doubles.live.waiting import NotReadyError, Waiting
from doubles.provider import Ledger, Values, diff_response

CONFLICT_HINT = '\nTo take these fields over, annotate the object: pulumi.com/patchForce: "true"'
GONE = Difference(("metadata", "uid"), "DELETE", None)
"""The difference between an object in the state and none in the cluster: an update makes it again."""


class LiveKubernetesDouble(KubernetesDouble):
    """pulumi-kubernetes on the API server of a kubeconfig, by default the one ``kubectl`` would use."""

    def __init__(self, objects: Objects | None = None) -> None:
        super().__init__(Ledger())
        self._objects = objects
        self._given = objects is not None
        self._cancelled = threading.Event()
        self._log = EngineLog()
        self._lock = threading.Lock()

    @property
    def objects(self) -> Objects:
        """The API server, opened at the first use. Raises UnreachableError."""
        with self._lock:
            if self._objects is None:
                self._objects = Objects.from_kubeconfig(self.config.get("kubeconfig"), self.config.get("context"))
            return self._objects

    def problems(self, token: str, news: Values) -> Any:
        yield from super().problems(token, news)
        try:
            Asked.of(news)
        except AnnotationError as error:
            yield "metadata.annotations", str(error)

    def Handshake(self, request: Any, context: Any) -> Any:
        self._log.attach(request.engine_address)
        return super().Handshake(request, context)

    def Attach(self, request: Any, context: Any) -> Any:
        self._log.attach(request.address)
        return empty_pb2.Empty()

    def Configure(self, request: Any, context: Any) -> Any:
        self._cancelled.clear()
        with self._lock:
            self._objects = self._objects if self._given else None
        return super().Configure(request, context)

    def Cancel(self, request: Any, context: Any) -> Any:
        self._cancelled.set()
        return empty_pb2.Empty()

    def Diff(self, request: Any, context: Any) -> Any:
        olds, news = (wire.plain(wire.from_struct(struct)) for struct in (request.old_inputs, request.news))
        written = list(differences(olds, news))
        with self._answering(context):
            found, refused = self._live_differences(news, written, _manager(request.olds, news))
            replacing = [one for one in [*written, *found] if self.replaces(request.type, one, news)]
            if refused and not replacing:
                replacing = found
            if not replacing and Asked.of(news).replace_unready and self._unready(news):
                replacing = found = [Difference(("status",), "UPDATE", None)]
            if replacing:
                found = [*{str(one): one for one in [*found, *replacing]}.values()]
            in_place = bool(replacing) and self.replaced_in_place(request.type, olds, news)
            return diff_response(found, replacing, in_place=in_place)

    def _live_differences(self, news: Values, written: list[Difference], manager: str) -> tuple[list[Difference], bool]:
        """Return what an update would change in the cluster, and whether the server refuses to do so in place."""
        if wire.has_unknown(news) or any(one.touches("metadata.name") or one.touches("metadata.namespace") for one in written):
            return written, False
        live = self.objects.get(news)
        if live is None:
            return written or [GONE], False
        try:
            would_be = self.objects.apply(news, manager=manager, force=Asked.of(news).patch_force, dry_run=True).object
        except ApiError as error:
            immutable = error.status == 422 and any(word in str(error) for word in ("immutable", "Forbidden: updates"))
            if not immutable:
                raise
            return written, True
        return list(differences(state.comparable(live), state.comparable(would_be))), False

    def _unready(self, news: Values) -> bool:
        live = self.objects.get(news)
        return live is not None and not self._waiting().verdict(live, Asked.of(news)).ready

    def Create(self, request: Any, context: Any) -> Any:
        inputs = wire.from_struct(request.properties)
        manager = Asked.of(wire.plain(inputs)).field_manager or f"pulumi-kubernetes-{secrets.token_hex(4)}"
        with self._answering(context):
            if request.preview:
                self._try(request, inputs, manager)
                unknown = sdk_types.unknown_outputs(request.type, inputs) if not self._is_custom(request.type) else {}
                return provider_pb2.CreateResponse(properties=wire.to_struct({**inputs, **unknown}))
            resource_id, properties = self._applied(request, context, inputs, manager)
            return provider_pb2.CreateResponse(id=resource_id, properties=properties)

    def Update(self, request: Any, context: Any) -> Any:
        inputs = wire.from_struct(request.news)
        manager = _manager(request.olds, wire.plain(inputs))
        with self._answering(context):
            if request.preview:
                self._try(request, inputs, manager)
                return provider_pb2.UpdateResponse(properties=wire.to_struct({**wire.from_struct(request.olds), **inputs}))
            return provider_pb2.UpdateResponse(properties=self._applied(request, context, inputs, manager)[1])

    def _try(self, request: Any, inputs: dict[str, Any], manager: str) -> None:
        """Let the server judge what is planned, where it can: in a namespace that exists, every value known."""
        values = wire.plain(inputs)
        if wire.has_unknown(values) or not self._namespace_exists(values):
            return
        try:
            done = self.objects.apply(values, manager=manager, force=Asked.of(values).patch_force, dry_run=True)
        except ApiError as error:
            if error.status != 404:
                raise
            # Its CustomResourceDefinition may be planned too.
            return
        self._warn(request.urn, done.warnings)

    def _namespace_exists(self, values: Values) -> bool:
        name = values["metadata"].get("namespace")
        return not name or self.objects.get({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}) is not None

    def _applied(self, request: Any, context: Any, inputs: dict[str, Any], manager: str) -> tuple[str, Any]:
        """Apply, wait, and return id and state; an object that does not become ready is answered with its reasons."""
        values = wire.plain(inputs)
        asked = Asked.of(values)
        done = self.objects.apply(values, manager=manager, force=asked.patch_force)
        self._warn(request.urn, done.warnings)
        resource_id = self.identity(request.type, request.name, values)
        try:
            found = self._waiting().until_ready(
                values, asked, seconds=asked.deadline_seconds(request.timeout), say=self._say(request.urn)
            )
        except NotReadyError as error:
            found = self.objects.get(values) or done.object
            abort_partial(context, resource_id, inputs, wire.to_struct(state.outputs(inputs, found, manager)), error.problems)
        return resource_id, wire.to_struct(state.outputs(inputs, found, manager))

    def Read(self, request: Any, context: Any) -> Any:
        inputs = wire.from_struct(request.inputs)
        with self._answering(context):
            manifest = wire.plain(inputs) if inputs else _imported(request.type, request.id)
            found = self.objects.get(manifest)
            if found is None:
                return provider_pb2.ReadResponse()
            inputs = state.overlaid(inputs, found) if inputs else state.comparable(found)
            properties = state.outputs(inputs, found, _manager(request.properties, manifest))
            return provider_pb2.ReadResponse(
                id=request.id, properties=wire.to_struct(properties), inputs=wire.to_struct(inputs)
            )

    def Delete(self, request: Any, context: Any) -> Any:
        values = wire.plain(wire.from_struct(request.old_inputs if request.old_inputs.fields else request.properties))
        asked = Asked.of(values)
        with self._answering(context):
            found = self.objects.get(values)
            if found is not None and self.objects.delete(values, propagation=asked.propagation) and not asked.skip_await:
                self._waiting().until_gone(
                    values,
                    found["metadata"]["uid"],
                    seconds=asked.deadline_seconds(request.timeout),
                    say=self._say(request.urn),
                )
            return empty_pb2.Empty()

    def _waiting(self) -> Waiting:
        return Waiting(self.objects, self._cancelled)

    def _say(self, urn: str) -> Callable[[str], None]:
        return lambda line: self._log.status(urn, line)

    def _warn(self, urn: str, warnings: tuple[str, ...]) -> None:
        for warning in warnings:
            self._log.warning(urn, warning)

    @contextlib.contextmanager
    def _answering(self, context: Any) -> Generator[None]:
        """Answer with the server's own words where it refuses, and with what to do about it."""
        try:
            yield
        except UnreachableError as error:
            context.abort(grpc.StatusCode.UNAVAILABLE, f"the cluster cannot be reached: {error}")
        except ApiError as error:
            hint = CONFLICT_HINT if error.status == 409 else ""
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"{error}{hint}")
        except NotReadyError as error:
            context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, str(error))


def _manager(olds: Any, inputs: Values) -> str:
    """Return the field manager of an object: what is annotated, else what made it."""
    made_by = wire.from_struct(olds).get(state.FIELD_MANAGER)
    return Asked.of(inputs).field_manager or made_by or f"pulumi-kubernetes-{secrets.token_hex(4)}"


def _imported(token: str, resource_id: str) -> Values:
    """Return the reference of an object by its type token and ``namespace/name``."""
    _, group_version, kind = token.split(":")
    namespace, _, name = resource_id.rpartition("/")
    api_version = group_version.removeprefix("core/")
    group, slash, version = api_version.partition("/")
    # Pulumi's tokens shorten the groups that Kubernetes itself defines.
    full = {"networking": "networking.k8s.io", "rbac.authorization": "rbac.authorization.k8s.io", "storage": "storage.k8s.io"}
    api_version = f"{full.get(group, group)}{slash}{version}"
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
    }
