"""A trigger from end to end inside the domain: what is refused before anything is sent, and what is told to whom."""

import json

import pytest

from call_recording import errors
from call_recording.account import AccountSecret
from call_recording.inbound.flows import FlowCallbacks
from call_recording.model import Action, Call, RecordingStatus, Verdict
from tests.unit.fake_vendor import Fault, lost
from tests.unit.fake_world import World, secret_of
from tests.unit.fakes import (
    ACCOUNT_SID,
    CALL_SID,
    VENDOR_KEY,
    FakeClock,
    FakePlatforms,
    FakeSecretsManager,
    RecordingObserver,
    assemble,
    basic,
    demo_secrets,
    flow_event,
    secret_json,
)


@pytest.fixture(name="world")
def _world() -> World:
    return World()


def test_confirmed(world):
    """
    A pause that is proven is answered as safe, with the time since the trigger reached us, and told to the observer.
    """
    outcome = world.handle()

    assert (outcome.verdict, outcome.safe_to_collect, outcome.elapsed_ms) == (Verdict.CONFIRMED, True, 250)
    assert outcome.vendor == "fake"
    assert world.observer.outcomes == [(outcome, None)]


def test_refused_before_anything_is_sent(world):
    """
    A trigger that does not fit the vendor sends nothing.
    """
    with pytest.raises(errors.InvalidTriggerError):
        world.handle(call_id="unfit")

    assert world.vendor.asked == []


def test_failure_is_told(world):
    """
    A pause without an answer is unknown, and the observer is told why.
    """
    world.vendor.fail("any", *[Fault(error=lost(), applied=False) for _ in range(99)])

    outcome = world.handle()

    assert (outcome.verdict, outcome.safe_to_collect) == (Verdict.UNKNOWN, False)
    assert isinstance(world.observer.outcomes[0][1], errors.OutcomeUnknownError)


def test_retry_after_is_passed_on(world):
    """
    The wait that a vendor asks for reaches the caller.
    """
    limited = world.vendor.refusal(errors.RateLimitedError, 429, retry_after=30.0)
    world.vendor.fail("pause", Fault(error=limited, applied=False))

    assert world.handle().retry_after == 30.0


def test_settings_decide(world):
    """
    The account's settings decide what is accepted.
    """
    world.vendor.statuses = {"RE1": RecordingStatus.COMPLETED}

    assert world.handle().error is errors.NotRecordingError

    world.own = secret_of(accept_not_recording=True)

    assert world.handle().error is None


class TestScenario30:
    @pytest.fixture(autouse=True)
    def _refused(self, world):
        refused = world.vendor.refusal(errors.AuthenticationError, 401)
        world.vendor.fail("pause", Fault(error=refused, applied=False))

    def test_scenario_30_rotated(self, world):
        """
        A vendor's 401 refreshes the secret once, and the command goes on with the new credentials.
        """
        world.secret = secret_of("new")

        assert world.handle().safe_to_collect
        assert world.refreshed == 1
        assert list(dict.fromkeys(account.credentials["token"] for account in world.connected)) == ["old", "new"]
        assert world.vendor.renewals == 1

    def test_scenario_30_rotated_while_nobody_asked(self, world):
        """
        What nobody waits for goes on with the new credentials as well: by a reminder, the sweep or a webhook.
        """
        world.vendor.faults.clear()
        refused = world.vendor.refusal(errors.AuthenticationError, 401)
        for seconds, begin in ((302.0, world.wake), (302.0, world.sweep), (1.0, world.start)):
            world.own = world.secret = secret_of("old")
            world.enter()
            world.secret = secret_of("new")
            world.connected.clear()
            world.clock.sleep(seconds)
            world.vendor.fail("any", Fault(error=refused, applied=False))
            begin()

            assert (world.ledger.matches, world.connected[-1].credentials["token"]) == (True, "new")
        assert world.refreshed == 3

    def test_scenario_43_another_vendor_by_now(self, world):
        """
        A secret that names another vendor by now is not used to go on: the ids are the old one's.
        """
        world.secret = AccountSecret("acme", json.dumps({"vendor": "other", "credentials": {"token": "new"}}))

        assert world.handle().error is errors.AuthenticationError
        assert {account.vendor for account in world.connected} == {"fake"}

    def test_scenario_43_does_not_fit_any_more(self, world):
        """
        A trigger that does not fit the account as it is by now is not sent.
        """
        world.secret = secret_of("new")
        checks = iter([None, errors.InvalidTriggerError("channel_id", "is missing")])

        def check(trigger):
            if problem := next(checks):
                raise problem

        world.vendor.check = check

        assert world.handle().error is errors.AuthenticationError

    @pytest.mark.parametrize("secret", [None, AccountSecret("acme", "no JSON")])
    def test_scenario_30_nothing_to_sign_in_with(self, world, secret):
        """
        Without a secret that fits, the vendor's refusal stands.
        """
        world.secret = secret

        assert world.handle().error is errors.AuthenticationError

    def test_scenario_30_secrets_down(self, world):
        """
        The refusal stands as well while Secrets Manager is down.
        """
        world.down = True

        assert world.handle().error is errors.AuthenticationError


def test_a_stop_by_document_says_whose_call_it_is(world):
    """What is noted of a call that nobody has heard of has its vendor and its channel, as any other trigger's has."""
    call = Call(call_id="CA", channel_id="channel-1")
    world.service.note_stop_by_document(world.trigger(Action.STOP, call=call), world.own)

    assert (world.ledger.vendor, world.ledger.call, world.ledger.stopped) == ("fake", call, True)


def test_scenario_30_the_sweep_renews_what_vendors_check():
    """The sweep knows a call by its key, which is in lower case: no pattern of Twilio's ids keeps a new secret out."""
    clock, platforms, observer = FakeClock(), FakePlatforms(), RecordingObserver()
    secrets_manager = FakeSecretsManager(demo_secrets())
    parts = assemble(clock=clock, platforms=platforms, secrets_manager=secrets_manager, observer=observer)
    flows = FlowCallbacks(accounts=parts.accounts, recordings=parts.recordings, clock=clock, observer=observer)
    body = {"call_id": CALL_SID, "max_pause_seconds": 20}
    flows.answer(flow_event(body), seconds_left=10.0)
    assert platforms.words["twilio"] == "paused"
    platforms.refused_authorization = basic(ACCOUNT_SID, VENDOR_KEY)
    secrets_manager.secrets["call-recording/demo-twilio"] = secret_json(
        credentials={"account_sid": ACCOUNT_SID, "auth_token": "placeholder-vendor-key-0002"}
    )
    clock.sleep(30.0)
    parts.recordings.sweep(seconds_left=10.0, limit=10)

    assert platforms.words["twilio"] == "in-progress"
