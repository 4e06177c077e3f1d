"""What vendors push by themselves, and third parties tell: written down, and acted on at once."""

import json
import time
from base64 import b64encode
from functools import partial
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from call_recording.model import Call, Reminder
from call_recording.reminders import dump_reminder
from tests import signers
from tests.integration.calls import (
    NO_ROOTS,
    PATIENCE_SECONDS,
    VENDORS,
    Json,
    SimulatedCall,
    eventually,
)

CARD = "4111 1111 1111 1111"
FORM, JSON, TABLE, QUEUE = "application/x-www-form-urlencoded", "application/json", "dynamodb:*", "sqs:*"
#: Who tells that a recording begins, and how its script is written.
TELLS_OF_STARTS = [("twilio", {}), ("signalwire", {"script": "cxml"}), ("signalwire", {"script": "swml"})]
by_itself = partial(eventually, seconds=PATIENCE_SECONDS)
of_those_that_tell = pytest.mark.parametrize(("vendor", "options"), TELLS_OF_STARTS, ids=str)


def told_call(stack: Json, vendor: str, *, account: tuple[str, str] | None = None, **options: Any) -> SimulatedCall:
    """Start a call of which the vendor tells the account; Bandwidth, which signs nothing, does so with a user."""
    name = account[0] if account else f"demo-{vendor}"
    callbacks = {"url": f"{stack['api']}/webhooks/{name}"}
    if vendor == "bandwidth":
        callbacks |= stack["accounts"]["demo-bandwidth"]["basic"]
    return SimulatedCall(stack, vendor, account=account, callbacks=callbacks, **options)


def told(call: SimulatedCall) -> list[str]:
    """Give what was told and accepted, in the order of the answers."""
    delivered = call.shown()["callbacks"]
    assert {each["status"] for each in delivered} <= {204}
    return [each["event"] for each in delivered]


def post(call: SimulatedCall, content: bytes, headers: dict[str, str]) -> int:
    """Push something to the account of a call; give the status of the answer."""
    url = f"{call.stack['api']}/webhooks/{call.account}"
    return httpx.post(url, content=content, headers=headers, timeout=PATIENCE_SECONDS, verify=NO_ROOTS).status_code


def third_party(
    call: SimulatedCall, kind: str, message_id: str | None = None, **data: object
) -> tuple[bytes, dict[str, str]]:
    """Sign a message of Standard Webhooks about a call."""
    channel = {key: call.created[key] for key in ("channel_id",) if key in call.created}
    body = json.dumps({"type": kind, "data": {"call_id": call.call_id, **channel, **data}}).encode()
    secret, name = (
        call.stack["accounts"][f"demo-{call.vendor}"]["webhook_secret"],
        message_id or f"msg_{time.time_ns()}",
    )
    return body, {"content-type": JSON, **signers.standard_webhooks(secret, name, body, at=time.time())}


def of_twilio(call: SimulatedCall, auth_token: str, **fields: str) -> tuple[bytes, dict[str, str]]:
    """Sign a form as Twilio does."""
    pairs = [("CallSid", call.call_id), *fields.items()]
    signature = signers.twilio(auth_token, f"{call.stack['api']}/webhooks/{call.account}", pairs)
    return urlencode(pairs).encode(), {"content-type": FORM, **signature}


@pytest.fixture(name="auth_token", scope="session")
def _auth_token(aws) -> str:
    """Read the key that the simulated Twilio signs with."""
    secret = aws("secretsmanager").get_secret_value(SecretId="call-recording/demo-twilio")
    return json.loads(secret["SecretString"])["credentials"]["auth_token"]


class TestCallOver:
    @pytest.mark.parametrize("vendor", VENDORS)
    def test_scenario_25_it_closes_the_pause(self, stack, ledger_table, deliver, vendor):
        """A call that ends while it is paused is closed as the vendor tells, and no reminder asks anything of it later."""
        call = told_call(stack, vendor)
        assert call.flow("entered").status_code == 200
        pause = ledger_table.read(call)["pauses"]["card-entry"]
        call.end()

        assert by_itself(lambda: ledger_table.events(call, "call over") and ledger_table.is_settled(call))
        assert ledger_table.events(call, "call over")[0]["by"] == "vendor"
        commands = call.commands()
        address = Call(call_id=call.call_id, channel_id=call.created.get("channel_id"))
        reminder = Reminder(call.account, address, "card-entry", pause["pause_id"], pause["deadline"])

        assert deliver(dump_reminder(reminder, at=1.0)) == []
        assert ledger_table.is_settled(call)
        assert call.commands() == commands
        assert told(call) != []

    @pytest.mark.parametrize("vendor", VENDORS)
    def test_of_a_call_that_nobody_asked_about(self, stack, ledger_table, vendor):
        """What is told of a call that Offtape does not know is acknowledged, and leaves nothing in the table."""
        call, count = told_call(stack, vendor), 3 if vendor in {"twilio", "signalwire"} else 2
        call.say("hello")
        call.end()

        assert by_itself(lambda: len(told(call)) == count)
        assert not ledger_table.has(call)
        assert call.shown()["requests"] == []

    @pytest.mark.parametrize("vendor", VENDORS)
    def test_scenario_14_told_again_byte_for_byte(self, stack, ledger_table, vendor):
        """Whatever the vendor told since the call is known here is sent once more, and changes nothing."""
        call, count = told_call(stack, vendor, recordings=0), 3 if vendor in {"twilio", "signalwire"} else 2
        call.flow("entered")
        call.control("POST", f"/calls/{call.call_id}/recordings")
        if count == 3:
            assert by_itself(lambda: ledger_table.events(call, "recording-started"))
        call.end()
        assert by_itself(lambda: len(told(call)) == count and ledger_table.is_settled(call))
        before, commands = ledger_table.read(call), call.commands()

        for index in range(count):
            assert call.control("POST", f"/calls/{call.call_id}/callbacks/repeat", index=index)["status"] == 204

        assert ledger_table.read(call) == before
        assert call.commands() == commands

    def test_scenario_16_out_of_order(self, stack, ledger_table, auth_token):
        """A recording's start that is told after the call's end opens nothing and asks for nothing."""
        call = SimulatedCall(stack, "twilio")
        call.flow("entered")
        (recording,) = call.created["recording_ids"]
        call.end()
        ended = post(call, *of_twilio(call, auth_token, CallStatus="completed"))
        commands = call.commands()
        started = post(call, *of_twilio(call, auth_token, RecordingSid=recording, RecordingStatus="in-progress"))

        assert (ended, started) == (204, 204)
        assert by_itself(lambda: ledger_table.is_settled(call))
        assert call.commands() == commands


class TestRecordings:
    @of_those_that_tell
    @pytest.mark.parametrize("accepted", [False, True])
    def test_scenario_08_one_that_starts_later(self, stack, account, vendor, options, accepted):
        """A recording that starts while a pause is open is paused at once, and hears nothing of what follows."""
        of = account(vendor, settings={"accept_not_recording": accepted})[:2]
        call = told_call(stack, vendor, account=of, recordings=0, **options)
        entered = call.flow("entered")
        call.control("POST", f"/calls/{call.call_id}/recordings")

        assert entered.status_code == (200 if accepted else 409)
        assert by_itself(call.is_silent)
        call.say(CARD)
        assert call.flow("left").status_code == 200
        call.say("goodbye")
        assert call.heard()[0][-1] == "goodbye"
        assert CARD not in call.heard()[0]
        assert told(call)[0] in {"recording in-progress", "calling.call.record recording"}

    @of_those_that_tell
    def test_scenario_11_a_second_one(self, stack, ledger_table, vendor, options):
        """A second recording that starts while the card is entered is paused too, and both run when the step is left."""
        call = told_call(stack, vendor, **options)
        assert call.flow("entered").status_code == 200
        call.control("POST", f"/calls/{call.call_id}/recordings")

        assert by_itself(call.is_silent)
        call.say(CARD)
        assert call.statuses() == ["paused", "paused"]
        assert call.flow("left").status_code == 200
        assert len(call.say("goodbye")) == 2
        assert not any(CARD in tape for tape in call.heard())
        assert ledger_table.events(call, "recording-started") != []

    @pytest.mark.parametrize("vendor", ["twilio", "signalwire", "bandwidth"])
    def test_one_that_ends(self, stack, ledger_table, vendor):
        """The end of a recording is noted in the ledger of its call, which goes on."""
        call = told_call(stack, vendor)
        call.say("hello")
        assert call.flow("stop", redirect_url="https://ivr.example.com/on").status_code == 200

        assert by_itself(lambda: ledger_table.events(call, "recording-ended"))
        (ended,) = ledger_table.events(call, "recording-ended")
        assert (ended["by"], ended.get("recording_id")) == ("webhook", call.created["recording_ids"][0])
        assert ledger_table.events(call, "call over") == []
        assert call.shown()["status"] == "in-progress"

    def test_scenario_35_bandwidth_s_dtmf(self, stack, ledger_table, state):
        """Digits that Bandwidth pushes are acknowledged, and nothing is done or written down."""
        call = SimulatedCall(stack, "bandwidth")
        call.flow("entered")
        before, commands = ledger_table.read(call), call.commands()
        basic = call.stack["accounts"]["demo-bandwidth"]["basic"]
        key = b64encode(f"{basic['username']}:{basic['password']}".encode()).decode()
        body = json.dumps(
            {"eventType": "dtmf", "callId": call.call_id, "digit": "4", "digits": CARD, "tag": CARD}
        ).encode()

        assert post(call, body, {"content-type": JSON, "authorization": f"Basic {key}"}) == 204
        assert ledger_table.read(call) == before
        assert call.commands() == commands
        assert CARD not in (state / "logs" / "vendor_webhook.log").read_text()


class TestThirdParty:
    @pytest.mark.parametrize("vendor", VENDORS)
    def test_scenario_19_it_tells_once(self, stack, ledger_table, vendor):
        """A signed message of a third party is written down once, however often it comes."""
        call = SimulatedCall(stack, vendor)
        call.flow("entered")
        recording = third_party(call, "recording.failed", recording_id=call.created["recording_ids"][0])
        first = post(call, *recording)
        before, commands = ledger_table.read(call), call.commands()
        again = [post(call, *recording) for _ in range(3)]

        assert (first, again) == (204, [204] * 3)
        assert len(ledger_table.events(call, "recording-failed")) == 1
        assert ledger_table.read(call) == before
        assert call.commands() == commands
        assert call.is_silent()

    @pytest.mark.parametrize("vendor", VENDORS)
    def test_the_end_of_a_call(self, stack, ledger_table, vendor):
        """A third party that tells of a call's end closes its pauses."""
        call = SimulatedCall(stack, vendor)
        call.flow("entered")
        call.end()

        assert post(call, *third_party(call, "call.ended")) == 204
        assert by_itself(lambda: ledger_table.is_settled(call))
        assert ledger_table.events(call, "call over") != []


class TestRefused:
    @pytest.mark.parametrize("vendor", VENDORS)
    def test_scenario_21_a_wrong_signature(self, stack, ledger_table, state, vendor):
        """What does not verify is refused, changes nothing, and is counted where an alarm looks."""
        call, log = SimulatedCall(stack, vendor), state / "logs" / "vendor_webhook.log"
        call.flow("entered")
        before = ledger_table.read(call)
        counted = log.read_text().count('"ProofRefused":[1.0]') if log.exists() else 0
        body, headers = third_party(call, "call.ended")

        assert post(call, body.replace(b"ended", b"other"), headers) == 401
        assert post(call, body, {name: value for name, value in headers.items() if name != "webhook-signature"}) == 401
        assert ledger_table.read(call) == before
        # the second came with nothing that could have been a proof: whoever scans the internet sets no alarm off
        assert by_itself(lambda: log.read_text().count('"ProofRefused":[1.0]') == counted + 1)

    @pytest.mark.parametrize(
        ("vendor", "name", "foreign"),
        [
            ("twilio", "AccountSid", f"AC{'0' * 32}"),
            ("signalwire", "AccountSid", "00000000-0000-4000-8000-000000000000"),
            ("bandwidth", "accountId", "9999999"),
            ("bird", "workspaceId", "00000000-0000-4000-8000-000000000000"),
        ],
    )
    def test_scenario_43_of_another_account(self, stack, ledger_table, vendor, name, foreign):
        """A payload that names another account of the vendor is refused, whatever it is signed with."""
        call = SimulatedCall(stack, vendor)
        call.flow("entered")
        before = ledger_table.read(call)

        assert post(call, *third_party(call, "call.ended", **{name: foreign})) == 401
        assert ledger_table.read(call) == before


class TestOutages:
    @pytest.mark.parametrize("vendor", VENDORS)
    def test_scenario_29_without_the_table(self, stack, ledger_table, denied, vendor):
        """What is told while the table is out of reach is kept by the queue, and applied when the table is back."""
        call = told_call(stack, vendor)
        call.flow("entered")
        with denied("vendor_webhook", TABLE):
            call.end()
            assert by_itself(lambda: told(call) and post(call, *third_party(call, "call.ended")) == 204)

        assert by_itself(lambda: ledger_table.events(call, "call over") and ledger_table.is_settled(call))

    @pytest.mark.parametrize("vendor", VENDORS)
    def test_scenario_29_without_both(self, stack, ledger_table, denied, vendor):
        """What can be kept nowhere is refused for now, so that whoever tells it does so again."""
        call = SimulatedCall(stack, vendor)
        call.flow("entered")
        message = third_party(call, "call.ended")
        call.end()
        with denied("vendor_webhook", TABLE, QUEUE):
            assert post(call, *message) == 503
        before = ledger_table.events(call, "call over")

        assert post(call, *message) == 204
        assert before == []
        assert by_itself(lambda: ledger_table.events(call, "call over"))
