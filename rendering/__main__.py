"""``python -m rendering STACK``: print what a stack declares."""

import os
import sys
from typing import Annotated

import typer

from rendering.documents import documents, to_yaml
from rendering.program import UnknownStackError, render_stack
from settings import SettingsError


def render(
    stack: Annotated[str, typer.Argument(help="Stack, as in Pulumi.<stack>.yaml.")],
    kubernetes_only: Annotated[bool, typer.Option(help="Leave out what is not a Kubernetes object.")] = False,
) -> None:
    """Print the manifests and resources of STACK as YAML documents, without engine, account or cluster.

    What only a provider knows is written as ${resource.output}; secrets are masked.
    """
    # An output that sneaks into a text would otherwise only warn.
    os.environ.setdefault("PULUMI_ERROR_OUTPUT_STRING", "true")
    try:
        resources = render_stack(stack)
    except (SettingsError, UnknownStackError) as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from None
    sys.stdout.write(to_yaml(documents(resources, kubernetes_only=kubernetes_only)))


if __name__ == "__main__":
    typer.run(render)
