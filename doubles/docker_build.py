"""The docker-build provider: builds nothing, and answers with a digest that follows the inputs."""

import hashlib
import json
from collections.abc import Iterator

from doubles import sdk_types
from doubles.provider import ProviderDouble, Values


def _without_passwords(inputs: Values) -> Values:
    registries = [{key: value for key, value in one.items() if key != "password"} for one in inputs.get("registries", [])]
    return {**inputs, "registries": registries}


def _digest(inputs: Values) -> str:
    content = {key: value for key, value in inputs.items() if key != "registries"}
    return f"sha256:{hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()}"


class DockerBuildDouble(ProviderDouble):
    """Makes images; a changed input builds again in place, as the true provider does."""

    package = "docker-build"

    def problems(self, token: str, news: Values) -> Iterator[tuple[str, str]]:
        yield from sdk_types.unknown_inputs(token, news)

    def compared(self, inputs: Values) -> Values:
        """A registry token that only grew older is no reason to build, as with the true provider."""
        return _without_passwords(inputs)

    def identity(self, token: str, name: str, inputs: Values) -> str:
        return f"{name}-{_digest(inputs)[-12:]}"

    def unknown(self, token: str, inputs: Values) -> Values:
        return sdk_types.unknown_outputs(token, inputs)

    def computed(self, token: str, name: str, resource_id: str, inputs: Values) -> Values:
        digest = _digest(inputs)
        tags = inputs.get("tags") or [f"{name}:latest"]
        return {"digest": digest, "ref": f"{tags[0]}@{digest}", "contextHash": digest[-16:]}

    def updated(self, token: str, resource_id: str, inputs: Values) -> Values:
        return self.computed(token, "", resource_id, inputs)
