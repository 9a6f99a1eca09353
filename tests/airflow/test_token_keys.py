"""Airflow's own generator and validator of tokens, with the files that pods are given while its key is rotated."""

import base64
import itertools
from pathlib import Path

import pytest
from airflow.api_fastapi.auth.tokens import JWKS, JWTGenerator, JWTValidator, get_sig_validation_args, get_signing_args
from jwt import InvalidTokenError

from components.key_generations import Generations
from components.token_keys import key_set, private_key_pem

SEEDS = {number: base64.b64encode(bytes([number] * 32)).decode() for number in (1, 2)}
BEFORE, ANNOUNCED, USED, DROPPED = (
    Generations(),
    Generations(newest=2),
    Generations(current=2),
    Generations(current=2, oldest=2),
)


class Pod:
    """What a pod signs and accepts, configured as the components configure it."""

    def __init__(self, folder: Path, generations: Generations, monkeypatch: pytest.MonkeyPatch) -> None:
        folder.mkdir()
        (folder / "private-key.pem").write_text(private_key_pem(SEEDS[generations.current]))
        (folder / "jwks.json").write_text(key_set({str(number): SEEDS[number] for number in generations.accepted()}))
        monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_PRIVATE_KEY_PATH", str(folder / "private-key.pem"))
        monkeypatch.setenv("AIRFLOW__API_AUTH__TRUSTED_JWKS_URL", str(folder / "jwks.json"))
        monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_KID", str(generations.current))
        # As the scheduler and the execution API make theirs.
        self._signs = JWTGenerator(**get_signing_args(make_secret_key_if_needed=False), valid_for=600, audience="tasks")
        self._accepts = JWTValidator(**get_sig_validation_args(make_secret_key_if_needed=False), audience="tasks")

    def token(self) -> str:
        return self._signs.generate({"sub": "a task"})

    def accepts(self, token: str) -> bool:
        try:
            return self._accepts.validated_claims(token)["sub"] == "a task"
        except InvalidTokenError:
            return False


@pytest.fixture
def pods(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[Generations, Pod]:
    steps = (BEFORE, ANNOUNCED, USED, DROPPED)
    return {step: Pod(tmp_path / str(number), step, monkeypatch) for number, step in enumerate(steps)}


@pytest.mark.parametrize("roll", itertools.pairwise((BEFORE, ANNOUNCED, USED)), ids=("announced", "used"))
def test_while_pods_roll_every_one_accepts_what_any_other_signs(pods: dict[Generations, Pod], roll: tuple[Generations, ...]):
    for signer, validator in itertools.product(roll, repeat=2):
        assert pods[validator].accepts(pods[signer].token())


def test_a_dropped_key_is_refused_and_the_new_one_taken(pods: dict[Generations, Pod]):
    assert pods[USED].accepts(pods[BEFORE].token())
    assert not pods[DROPPED].accepts(pods[BEFORE].token())
    assert pods[USED].accepts(pods[DROPPED].token())


def test_a_key_that_was_not_announced_is_refused_by_pods_that_have_not_rolled(pods: dict[Generations, Pod]):
    assert not pods[BEFORE].accepts(pods[USED].token())


def test_a_key_that_is_not_of_the_set_signs_nothing_that_is_accepted(tmp_path: Path, pods: dict[Generations, Pod]):
    stranger = JWTGenerator(
        private_key=private_key_pem(base64.b64encode(bytes(32)).decode()).encode(), kid="2", valid_for=600, audience="tasks"
    )
    assert not pods[USED].accepts(stranger.generate({"sub": "a task"}))
    (tmp_path / "other.json").write_text(key_set({"2": SEEDS[2]}))
    with pytest.raises(InvalidTokenError):
        JWTValidator(jwks=JWKS(url=str(tmp_path / "other.json")), audience="tasks").validated_claims(pods[BEFORE].token())
