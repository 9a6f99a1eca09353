"""The random provider: values of the right shapes, really random, marked secret where the true one marks them."""

import base64
import secrets
import string
from collections.abc import Iterator
from typing import Any

from doubles import sdk_types, wire
from doubles.differences import Difference
from doubles.provider import ProviderDouble, Values

PASSWORD = "random:index/randomPassword:RandomPassword"
STRING = "random:index/randomString:RandomString"
BYTES = "random:index/randomBytes:RandomBytes"
ID = "random:index/randomId:RandomId"
SPECIAL = "!@#$%&*()-_=+[]{}<>:?"


def _characters(inputs: Values) -> str:
    special = inputs.get("overrideSpecial") or SPECIAL
    classes = {
        "lower": string.ascii_lowercase,
        "upper": string.ascii_uppercase,
        "numeric": string.digits,
        "special": special,
    }
    wanted = {name: letters for name, letters in classes.items() if inputs.get(name, True)}
    drawn = [
        secrets.choice(letters) for name, letters in wanted.items() for _ in range(inputs.get(f"min{name.capitalize()}", 0))
    ]
    drawn += [secrets.choice("".join(wanted.values())) for _ in range(inputs["length"] - len(drawn))]
    secrets.SystemRandom().shuffle(drawn)
    return "".join(drawn)


class RandomDouble(ProviderDouble):
    """Draws once, at creation; any changed input draws anew in a new resource."""

    package = "random"

    def problems(self, token: str, news: Values) -> Iterator[tuple[str, str]]:
        if token not in (PASSWORD, STRING, BYTES, ID):
            yield "", f"the double of random does not make {token}"
        else:
            yield from sdk_types.unknown_inputs(token, news)

    def replaces(self, token: str, difference: Difference, news: Values) -> bool:
        return True

    def identity(self, token: str, name: str, inputs: Values) -> str:
        # The true provider calls every password "none"; the ledger needs to tell them apart.
        return f"{name}-{secrets.token_hex(4)}"

    def unknown(self, token: str, inputs: Values) -> Values:
        return sdk_types.unknown_outputs(token, inputs)

    def computed(self, token: str, name: str, resource_id: str, inputs: Values) -> Values:
        if token in (PASSWORD, STRING):
            result = _characters(inputs)
            if token == STRING:
                return {"result": result}
            return self._secret({"result": result, "bcryptHash": f"$2a$10${secrets.token_urlsafe(40)[:53]}"})
        raw = secrets.token_bytes(inputs["length"] if token == BYTES else inputs["byteLength"])
        standard, urlsafe, hexadecimal = base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode(), raw.hex()
        if token == BYTES:
            return self._secret({"base64": standard, "hex": hexadecimal})
        return {"b64Std": standard, "b64Url": urlsafe.rstrip("="), "hex": hexadecimal, "dec": str(int.from_bytes(raw, "big"))}

    def _secret(self, values: dict[str, str]) -> dict[str, Any]:
        self.ledger.generated += values.values()
        return {key: wire.secret(value) for key, value in values.items()}
