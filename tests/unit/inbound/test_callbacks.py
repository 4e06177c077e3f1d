"""What all requests from outside have in common: verified first, then read, and each error answered in one way."""

import json

import pytest

from call_recording import errors
from call_recording.inbound.callbacks import ANSWER_SECONDS, REFUSAL_SECONDS, Callbacks
from call_recording.inbound.signatures import base64_hmac
from call_recording.model import Notice
from tests.unit.fakes import (
    CARD,
    DOMAIN,
    KEYS,
    PASSWORD,
    TOKEN,
    VENDOR_KEY,
    FakeAccounts,
    account_secret,
    assemble,
    basic,
    flow_event,
    secret_json,
    webhook_event,
)

FORM = "application/x-www-form-urlencoded"
WRONG = "placeholder-wrong-value"


class Probe(Callbacks):
    """Answers with what it was given, or raises what it is told to; it keeps what was admitted."""

    def __init__(self, **parts) -> None:
        super().__init__(**parts)
        self.admitted: list = []
        self.failure: Exception | None = None

    def carry_out(self, admitted):
        """Keep the request."""
        self.admitted.append(admitted)
        if self.failure is not None:
            raise self.failure
        return {"statusCode": 299, "left": round(self.deadline(admitted).remaining(), 3)}


@pytest.fixture(name="make")
def _make(secrets_manager, platforms, clock, observer):
    """Return a function that makes the callbacks, with other parts where named."""
    parts = assemble(secrets_manager=secrets_manager, platforms=platforms, clock=clock, observer=observer)

    def make(**changed) -> Probe:
        usual = {"accounts": parts.accounts, "recordings": parts.recordings, "clock": clock, "observer": observer}
        return Probe(**usual | changed)

    return make


@pytest.fixture(name="probe")
def _probe(make) -> Probe:
    return make()


def answer(probe: Probe, event=None, *, seconds_left=10.0, **given) -> dict:
    """Answer an event, or one made of what is given."""
    return probe.answer(event or webhook_event(**given), seconds_left=seconds_left)


def signed(url: str, *, key: str = VENDOR_KEY, **given) -> dict:
    """Return an event of an empty form that Twilio has signed for *url*."""
    event = webhook_event(b"", authorization=None, content_type=FORM, **given)
    event["headers"]["x-twilio-signature"] = base64_hmac(key, url.encode(), "sha1")
    return event


class TestAdmitted:
    """Who has proven whose the request is."""

    def test_what_is_carried_out_has_its_account_and_its_time(self, probe):
        """A request that has a proof is carried out with the account's secret, and the end of the invocation."""
        assert answer(probe, seconds_left=7.0)["statusCode"] == 299

        [admitted] = probe.admitted
        assert (admitted.secret.name, admitted.message_id) == ("demo-twilio", None)
        assert admitted.ends_at == 1_790_000_000.0 + 7.0

    def test_the_budget_counts_from_api_gateway_s_time(self, probe, clock):
        """The answer is due by the account's budget, or before the invocation ends, less the time to send it."""
        clock.seconds += 1.0

        assert answer(probe)["left"] == pytest.approx(3.5 - 1.0 - ANSWER_SECONDS)
        assert answer(probe, seconds_left=2.0)["left"] == pytest.approx(2.0 - ANSWER_SECONDS)

    def test_a_request_shows_no_key(self, probe):
        """An admitted request that is printed shows no key and nothing that was sent."""
        answer(probe, body={"Digits": CARD})

        shown = repr(probe.admitted)
        assert not [key for key in (*KEYS, CARD) if key in shown]

    def test_scenario_21_a_signature_over_a_public_url(self, make):
        """Behind a proxy the platform signs the URL that it knows: the deployment names it, and no header does."""
        url = "https://calls.example.com/voice/webhooks/demo-twilio"
        public = make(public_urls=("https://calls.example.com/voice",))
        event = signed(url)
        event["headers"]["host"] = "calls.example.com"

        assert answer(public, event)["statusCode"] == 299
        assert answer(make(), event)["statusCode"] == 401
        assert answer(make(), signed(f"https://{DOMAIN}/webhooks/demo-twilio"))["statusCode"] == 299


class TestRefusedProof:
    """A proof that does not hold is told to operators, if it is one of an account that there is."""

    @pytest.mark.parametrize(
        ("headers", "carried"),
        [
            ({"authorization": f"Bearer {WRONG}"}, "authorization"),
            ({"authorization": basic(password=WRONG)}, "authorization"),
            ({"x-twilio-signature": WRONG}, "x-twilio-signature"),
            ({"webhook-signature": f"v1,{WRONG}", "authorization": WRONG}, "authorization, webhook-signature"),
        ],
    )
    def test_scenario_20_a_forgery_is_an_alarm(self, probe, observer, headers, carried):
        """A key or a signature that does not hold is noticed with the header's name, and never with what was in it."""
        event = webhook_event(authorization=None)
        event["headers"] |= headers
        answered = answer(probe, event)

        assert (answered["statusCode"], probe.admitted) == (401, [])
        assert observer.notices == [(Notice.PROOF_REFUSED, None, None)]
        assert observer.reasons == [f"carried {carried}"]
        assert WRONG not in repr(observer) + answered["body"]

    def test_scenario_21_a_url_that_is_not_ours_is_the_same_alarm(self, probe, observer):
        """A signature over a URL that the deployment does not know is refused, without a way around, and noticed."""
        event = signed("https://calls.example.com/webhooks/demo-twilio")
        event["headers"]["host"] = "calls.example.com"
        event["headers"]["x-forwarded-host"] = "calls.example.com"

        assert (answer(probe, event)["statusCode"], probe.admitted) == (401, [])
        assert observer.reasons == ["carried x-twilio-signature"]

    def test_who_carries_nothing_is_no_alarm(self, probe, observer):
        """A scanner without any proof is refused like everybody, and counts as nothing."""
        assert answer(probe, authorization=None)["statusCode"] == 401
        assert observer.notices == []

    @pytest.mark.parametrize("account", ["nobody", "Not an Account", "", CARD])
    def test_an_account_that_does_not_exist_is_no_alarm(self, probe, observer, account):
        """Whoever guesses names of accounts cannot make alarms, nor write into the log."""
        assert answer(probe, account=account, authorization=f"Bearer {TOKEN}")["statusCode"] == 401
        assert observer.notices == []
        assert not account or account not in repr(observer)

    def test_who_comes_in_is_no_alarm(self, probe, observer):
        """A request with one proof that holds and another that does not is let in, and nobody is called."""
        event = webhook_event()
        event["headers"]["x-twilio-signature"] = WRONG

        assert answer(probe, event)["statusCode"] == 299
        assert observer.notices == []

    def test_an_account_whose_keys_cannot_be_read(self, probe, secrets_manager, observer):
        """Where the inbound section does not parse nobody comes in; both that and the refusal are told."""
        secrets_manager.secrets["call-recording/demo-twilio"] = secret_json(inbound={"basic": PASSWORD})

        assert (answer(probe)["statusCode"], probe.admitted) == (401, [])
        assert [misfit["field"] for misfit in observer.misfits] == ["inbound.basic"]
        assert observer.reasons == ["carried authorization"]

    @pytest.mark.parametrize("authorization", [None, f"Bearer {WRONG}"])
    @pytest.mark.parametrize("account", ["demo-twilio", "nobody"])
    def test_all_get_the_same_answer_at_the_same_time(self, probe, clock, account, authorization):
        """Every stranger gets the one 401, no sooner than the others."""
        answered = answer(probe, account=account, authorization=authorization)

        assert json.loads(answered["body"]) == {"type": "about:blank", "title": "Unauthorized", "status": 401}
        assert clock.slept == [REFUSAL_SECONDS]


class TestOrder:
    """Verified first, then read."""

    def test_scenario_35_a_payment_connector_has_no_key_of_ours(self, probe, observer):
        """A card's number and code that a stranger sends to an account that exists are refused like all else, and alarmed."""
        body = '{"cardnumber": "' + CARD + '", "cvv": "123"}'

        assert answer(probe, body=body, authorization=None)["statusCode"] == 401
        assert answer(probe, body=body, authorization=None, account="nobody")["statusCode"] == 401
        assert observer.notices == [(Notice.CARD_DATA_REFUSED, None, None)]
        assert CARD not in repr(observer)

    @pytest.mark.parametrize("content_type", [None, "text/plain", "application/json; charset=utf-16"])
    def test_scenario_35_a_stranger_s_card_of_another_content_type(self, probe, observer, content_type):
        """What a stranger sends is alarmed too if it says that it is something else, and answered as all else."""
        body = '{"cardnumber": "' + CARD + '", "cvv": "123"}'
        answered = answer(probe, body=body, authorization=None, content_type=content_type)

        assert answered["statusCode"] == 401
        assert (observer.notices, observer.reasons) == ([(Notice.CARD_DATA_REFUSED, None, None)], ["not authenticated"])
        assert CARD not in repr(observer)

    @pytest.mark.parametrize("body", ["{", "", '{"cardnumber": "' + CARD + '"}', "a" * 100_000])
    def test_scenario_35_what_a_stranger_sends_is_nobody_s_business(self, probe, observer, body):
        """Nothing else is told of the body of a stranger: whether it could be read, or what was in it."""
        assert answer(probe, body=body, authorization=None)["statusCode"] == 401
        assert (observer.notices, observer.refusals) == (
            [],
            [{"reason": "not authenticated", "account": None, "field": None}],
        )

    def test_a_secret_that_does_not_fit_is_told_to_its_own(self, probe, secrets_manager, observer):
        """A secret that does not fit is a 500 before anything is carried out, and only for who has a proof."""
        secrets_manager.secrets["call-recording/demo-twilio"] = secret_json(settings={"budget_ms": 1})

        assert answer(probe)["statusCode"] == 500
        assert answer(probe, authorization=None)["statusCode"] == 401
        assert (probe.admitted, len(observer.misfits)) == ([], 1)


class TestErrors:
    """What is raised while a request is carried out."""

    @pytest.mark.parametrize(
        ("failure", "status"),
        [
            (errors.UnavailableError("SQS: down"), 503),
            (errors.InvalidTriggerError("call_id", "is missing"), 422),
            (errors.UnreadableBodyError("body", "is not JSON"), 400),
            (errors.CardDataError("body", "has a card"), 422),
        ],
    )
    def test_each_is_answered_and_told(self, probe, observer, failure, status):
        """What is refused is answered by the table, and told with the account that it is of."""
        probe.failure = failure

        assert answer(probe)["statusCode"] == status
        assert observer.refusals == [
            {"reason": str(failure), "account": "demo-twilio", "field": getattr(failure, "field", None)}
        ]

    def test_scenario_35_card_data_is_an_alarm(self, probe, observer):
        """Card data that was sent here is noticed beside the refusal, without the value."""
        probe.failure = errors.CardDataError("body", "has a card's number and its code")
        answered = answer(probe)

        assert observer.notices == [(Notice.CARD_DATA_REFUSED, None, None)]
        assert observer.reasons == ["body has a card's number and its code"]
        assert json.loads(answered["body"])["title"].startswith("Card data was sent here")

    def test_scenario_43_a_payload_of_another_account(self, probe, observer, clock):
        """Whoever has a key, but sends what is another account's, is a stranger: told of by the account whose key it is."""
        probe.failure = errors.UnknownAccountError("AccountSid is not this account's")

        assert (answer(probe)["statusCode"], clock.slept) == (401, [REFUSAL_SECONDS])
        assert observer.refusals == [
            {"reason": "AccountSid is not this account's", "account": "demo-twilio", "field": None}
        ]
        assert observer.notices == []

    def test_a_misfit_that_shows_later(self, probe, observer):
        """A configuration that does not fit only for this request is a 500 and told with its field."""
        probe.failure = errors.ConfigurationError("settings.api_url", "settings.api_url does not fit")

        assert answer(probe)["statusCode"] == 500
        assert [misfit["field"] for misfit in observer.misfits] == ["settings.api_url"]

    def test_secrets_manager_is_down(self, make, observer):
        """Without the secret nothing can be verified: 503, so that whoever pushes comes again, and nobody's name."""
        probe = make(accounts=FakeAccounts(failure=errors.UnavailableError("Secrets Manager: down")))

        assert answer(probe, account=CARD)["statusCode"] == 503
        assert observer.refusals == [{"reason": "Secrets Manager: down", "account": None, "field": None}]

    def test_each_request_asks_for_the_account_once(self, make):
        """A request asks for its account's secret once, and a wrong key is no reason to read it afresh."""
        accounts = FakeAccounts(account_secret())
        probe = make(accounts=accounts)
        answer(probe)
        answer(probe, event=flow_event(authorization=f"Bearer {WRONG}"))

        assert accounts.asked == [("demo-twilio", False)] * 2
