"""Who may come in, and that the time tells nothing."""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from call_recording.account import BasicCredential, Inbound
from call_recording.inbound.authentication import DECOY, VERIFIERS, BasicVerifier, BearerVerifier, is_authentic
from call_recording.inbound.request import InboundRequest
from tests.unit.fakes import PASSWORD, TOKEN, USERNAME, basic, flow_event

SECOND = "placeholder-bearer-token-0002"
INBOUND = Inbound(
    bearer_tokens=(TOKEN, SECOND),
    basic=(
        BasicCredential(username=USERNAME, password=PASSWORD),
        BasicCredential(username="other", password="pass:wörd with blanks"),
    ),
)


def request(authorization: str | None) -> InboundRequest:
    """Return a request with this Authorization header."""
    return InboundRequest.of(flow_event(authorization=authorization), now=0.0)


class Watched(tuple[str, ...]):  # noqa: SLOT001 -- it counts
    """Several keys that know how many of them were looked at."""

    looked_at = 0

    def __iter__(self) -> Iterator[str]:
        for each in super().__iter__():
            self.looked_at += 1
            yield each


@dataclass
class FixedVerifier:
    """A proof that always holds, or never; it knows whether it was asked."""

    holds: bool
    asked: int = 0

    def verify(self, request: InboundRequest, inbound: Inbound) -> bool:
        """Say what is fixed."""
        self.asked += 1
        return self.holds


class TestProofs:
    """Bearer and Basic."""

    @pytest.mark.parametrize(
        "authorization",
        [
            f"Bearer {TOKEN}",
            f"bearer {TOKEN}",
            f"BEARER   {TOKEN} ",
            f"Bearer {SECOND}",
            basic(),
            basic().replace("Basic", "basic"),
            basic("other", "pass:wörd with blanks"),
        ],
    )
    def test_one_valid_proof_is_enough(self, authorization):
        """Any one of the account's keys lets a caller in, the second as well as the first."""
        assert is_authentic(request(authorization), INBOUND)

    @pytest.mark.parametrize(
        "authorization",
        [
            None,
            "",
            " ",
            "Bearer",
            "Bearer ",
            "Bearer  ",
            TOKEN,
            f"Bearer {TOKEN[:-1]}",
            f"Bearer {TOKEN}x",
            f"Bearer {TOKEN.upper()}",
            f"Bearer {TOKEN} {SECOND}",
            f"Bearer {TOKEN},{SECOND}",
            f"Bearer\t{TOKEN}",
            f"Token {TOKEN}",
            f"Basic {TOKEN}",
            "Bearer ü",
            "Bearer \ud800",
            "Basic",
            "Basic ",
            "Basic !",
            "Basic ü",
            "Basic \ud800",
            "Basic " + b64encode(b"\xff\xfe").decode(),
            "Basic " + b64encode(b":").decode(),
            "Basic " + b64encode(USERNAME.encode()).decode(),
            f"Basic {USERNAME}:{PASSWORD}",
            basic(USERNAME, ""),
            basic("", PASSWORD),
            basic("", ""),
            basic(USERNAME, PASSWORD + "x"),
            basic("other", PASSWORD),
            basic().replace("Basic", "Bearer"),
            basic("Bearer", TOKEN),
        ],
    )
    def test_anything_else_is_none(self, authorization):
        """No key, a wrong one, another scheme or an unreadable header lets nobody in, and breaks nothing."""
        assert not is_authentic(request(authorization), INBOUND)

    @pytest.mark.parametrize("authorization", [None, "Bearer ", "Basic ", f"Bearer {TOKEN}", basic(), basic("", "")])
    def test_an_account_without_keys_lets_nobody_in(self, authorization):
        """Where no key is configured, nothing is accepted."""
        assert not is_authentic(request(authorization), Inbound())

    @pytest.mark.parametrize("authorization", [None, "Bearer ", basic("", ""), f"Bearer {TOKEN}", basic()])
    def test_the_decoy_lets_nobody_in(self, authorization):
        """What stands in for an unknown account has keys that nobody knows."""
        assert not is_authentic(request(authorization), DECOY)
        assert all(len(token) > 40 for token in DECOY.bearer_tokens)


class TestTiming:
    """Every comparison is made, whatever the first one says."""

    @pytest.mark.parametrize("authorization", [f"Bearer {TOKEN}", f"Bearer {SECOND}", "Bearer wrong", basic(), None])
    def test_every_token_is_compared(self, authorization):
        """All of the account's tokens are compared, with whatever was given."""
        tokens = Watched((TOKEN, SECOND, "placeholder-bearer-token-0003"))
        BearerVerifier().verify(request(authorization), Inbound(bearer_tokens=tokens))

        assert tokens.looked_at == 3

    @pytest.mark.parametrize("first", [True, False])
    def test_every_kind_of_proof_is_tried(self, first):
        """A proof that holds does not spare the others the comparison."""
        verifiers = FixedVerifier(first), FixedVerifier(holds=False), FixedVerifier(holds=False)

        assert is_authentic(request(None), INBOUND, verifiers) is first
        assert [verifier.asked for verifier in verifiers] == [1, 1, 1]

    def test_one_proof_among_several_is_enough(self):
        """It does not matter which of the proofs holds."""
        assert is_authentic(request(None), INBOUND, [FixedVerifier(holds=False), FixedVerifier(holds=True)])
        assert not is_authentic(request(None), INBOUND, [])

    def test_bearer_and_basic_are_what_is_tried(self):
        """Bearer and Basic are the proofs that there are."""
        assert [type(verifier) for verifier in VERIFIERS] == [BearerVerifier, BasicVerifier]
