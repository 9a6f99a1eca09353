"""Keys of Airflow's tokens in the files it reads them from: the private one that signs, the public ones that are accepted.

Asymmetric, because Airflow accepts more than one key only so: ``[api_auth] jwt_private_key_path`` beside ``trusted_jwks_url``.
"""

import base64
import json
from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s
import pulumi_random as random
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from components.attachments import Attachments
from components.key_generations import Generations

SEED_BYTES = 32
"""Source: RFC 8032, section 5.1.5."""


FOLDER = "/opt/airflow/token-keys"
PRIVATE_KEY, KEY_SET = "private-key.pem", "jwks.json"


def token_key_files(keys: Mapping[int, random.RandomBytes], generations: Generations) -> dict[str, pulumi.Input[str]]:
    """Return the contents of both files by name."""
    accepted = {str(number): keys[number].base64 for number in generations.accepted()}
    return {
        PRIVATE_KEY: keys[generations.current].base64.apply(private_key_pem),
        KEY_SET: pulumi.Output.all(**accepted).apply(key_set),
    }


def mounted_keys(secret: pulumi.Input[str], *, signs_with: int) -> Attachments:
    """Return the files of ``secret`` in a container, and what tells Airflow where they are and which key it signs with."""
    # Its owner is root: pods read it as members of group 0.
    source = k8s.core.v1.SecretVolumeSourceArgs(secret_name=secret, default_mode=0o440)
    variables = {
        "AIRFLOW__API_AUTH__JWT_PRIVATE_KEY_PATH": f"{FOLDER}/{PRIVATE_KEY}",
        "AIRFLOW__API_AUTH__TRUSTED_JWKS_URL": f"{FOLDER}/{KEY_SET}",
        "AIRFLOW__API_AUTH__JWT_KID": str(signs_with),
    }
    return Attachments(
        environment=tuple(k8s.core.v1.EnvVarArgs(name=name, value=value) for name, value in variables.items()),
        volumes=(k8s.core.v1.VolumeArgs(name="token-keys", secret=source),),
        mounts=(k8s.core.v1.VolumeMountArgs(name="token-keys", mount_path=FOLDER, read_only=True),),
    )


def private_key_pem(seed: str) -> str:
    """Return the Ed25519 key of a seed, in base64, as PEM in PKCS #8."""
    return _key(seed).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def key_set(seeds: Mapping[str, str]) -> str:
    """Return the public keys of seeds by key ID as a JSON Web Key Set. Source: RFC 7517, section 5, and RFC 8037, section 2."""
    return json.dumps({"keys": [_public(key_id, seed) for key_id, seed in seeds.items()]})


def _public(key_id: str, seed: str) -> dict[str, str]:
    raw = _key(seed).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    x = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key_id, "x": x}


def _key(seed: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed))
