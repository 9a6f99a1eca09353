"""All of a stack, removed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from doubles.live.objects import ApiError
from stack import address, clusters
from stack.clusters import Target
from stack.configuration import settings_of
from stack.engine import find
from stack.errors import NoClusterError, NotConfirmedError, NotUpError
from stack.narration import described
from stack.operations import Operations
from stack.state import StateFolder
from standalone.progress import Progress


def data_of(target: Target, namespace: str) -> list[str]:
    """Return the volumes that would go, as ``name (size)``."""
    claims = target.objects.all_of("v1", "PersistentVolumeClaim", namespace)
    sizes = {one["metadata"]["name"]: one["spec"]["resources"]["requests"]["storage"] for one in claims}
    return [f"{name} ({size})" for name, size in sorted(sizes.items())]


def down(stack: str, folder: StateFolder, progress: Progress, *, confirm: Callable[[Sequence[str]], bool]) -> str | None:
    """Remove the stack; ``confirm`` is asked with the volumes whose data goes. Returns the command that ends the cluster.

    Raises NotUpError, NotConfirmedError, or what Pulumi says went wrong.
    """
    settings = settings_of(stack)
    record = folder.read(stack)
    if record is None:
        raise NotUpError(f"there is no stack {stack} of this checkout", f"Nothing to remove. To make it: make up STACK={stack}")
    engine = find(settings.platform)
    try:
        target = clusters.find(record.kubeconfig, record.context)
        volumes = data_of(target, record.namespace)
    except (NoClusterError, ApiError):
        if settings.platform == "kubernetes" and record.kubeconfig and clusters.is_gone(record.kubeconfig):
            return _forget(stack, folder, progress)
        raise
    if not confirm(volumes):
        raise NotConfirmedError("nothing was removed", f"To remove it without a question: make down STACK={stack} CONFIRM=yes")
    address.stop(record)
    config: Mapping[str, Any] = clusters.config(target, record.image) if settings.platform == "kubernetes" else {}
    opened = Operations.opened(stack, engine, folder, progress, more_environment=target.environment, config=config)
    with progress.step(f"pulumi destroy --stack {stack}") as step, opened as operations:
        step.note = described(operations.destroy())
    folder.forget(stack)
    return "make cluster-down" if target.ours else None


def _forget(stack: str, folder: StateFolder, progress: Progress) -> None:
    """Forget a stack whose cluster was removed with all that was in it."""
    record = folder.read(stack)
    if record:
        address.stop(record)
    folder.remove_stack_state(stack)
    folder.forget(stack)
    progress.say("  Its cluster is gone, and all of the stack with it.")
