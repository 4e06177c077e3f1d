"""Accounts on the local stack: keys that open, keys that do not, secrets that change while it runs."""

import json
import secrets as random

import httpx
import pytest

from tests.integration.calls import PATIENCE_SECONDS, VENDORS, SimulatedCall, eventually


def test_one_refusal_for_all(stack):
    """
    An unknown account, an ill-formed one and a wrong key get the same answer, to the byte.
    """
    call = SimulatedCall(stack, "twilio")
    answers = [
        call.flow("entered", account="nobody"),
        call.flow("entered", account="No%20body"),
        call.flow("entered", token="wrong-key-wrong-key"),
        call.flow("entered", account="demo-bird"),
        httpx.post(f"{stack['api']}/flows/demo-twilio/card-entry/entered", json={"call_id": call.call_id}),
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert call.shown()["requests"] == []


@pytest.mark.parametrize("vendor", VENDORS)
def test_basic_in_the_url(stack, account, vendor):
    """
    user:password@ in the URL, the only way in Twilio Studio, opens the account.
    """
    name, _, document = account(vendor)
    call = SimulatedCall(stack, vendor)
    pair = document["inbound"]["basic"][0]
    url = httpx.URL(f"{stack['api']}/flows/{name}/card-entry/entered").copy_with(
        username=pair["username"], password=pair["password"]
    )

    answer = httpx.post(url, json={"call_id": call.call_id, **_channel(call)}, timeout=PATIENCE_SECONDS)

    assert answer.status_code == 200


def test_twilio_form(stack):
    """
    The form that Twilio posts by itself is understood, its card digits dropped.
    """
    call = SimulatedCall(stack, "twilio")

    answer = httpx.post(
        f"{stack['api']}/flows/demo-twilio/card-entry/entered",
        data={"CallSid": call.call_id, "Digits": "4111111111111111", "From": "+15005550006"},
        headers={"authorization": f"Bearer {stack['accounts']['demo-twilio']['bearer_token']}"},
        timeout=PATIENCE_SECONDS,
    )

    assert answer.status_code == 200
    assert "4111111111111111" not in answer.text


def test_scenario_43_account_of_somebody_else(stack):
    """
    A payload that names another account of the vendor is refused, whatever key it comes with.
    """
    call = SimulatedCall(stack, "twilio")

    assert call.flow("entered", AccountSid="AC" + "0" * 32).status_code == 401
    assert call.shown()["requests"] == []


def test_scenario_30_vendor_key_rotated(stack, account, aws):
    """
    A secret whose credentials changed is read again when the vendor refuses the old ones.
    """
    name, token, document = account("twilio", credentials={"auth_token": "no-longer-the-key"})
    call = SimulatedCall(stack, "twilio")
    assert call.flow("entered", account=name, token=token).status_code == 502

    good = json.loads(aws("secretsmanager").get_secret_value(SecretId="call-recording/demo-twilio")["SecretString"])[
        "credentials"
    ]
    aws("secretsmanager").put_secret_value(
        SecretId=f"call-recording/{name}", SecretString=json.dumps({**document, "credentials": good})
    )

    assert call.flow("entered", account=name, token=token).status_code == 200


def test_inbound_key_rotated(stack, account, aws):
    """
    A new key opens the account within SECRET_TTL_SECONDS, and the old one no longer.
    """
    name, token, document = account("twilio")
    call = SimulatedCall(stack, "twilio")
    assert call.flow("entered", account=name, token=token).status_code == 200

    new = random.token_urlsafe()
    document["inbound"] = {"bearer_tokens": [new]}
    aws("secretsmanager").put_secret_value(SecretId=f"call-recording/{name}", SecretString=json.dumps(document))

    assert eventually(lambda: call.flow("entered", account=name, token=new).status_code == 200)
    assert call.flow("entered", account=name, token=token).status_code == 401


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"settings": {"budget_ms": 9001}}, "settings.budget_ms"),
        ({"settings": {"api_url": "http://example.com"}}, "settings.api_url"),
        ({"credentials": {"account_sid": "not-an-account"}}, "credentials.account_sid"),
        ({"vendor": "carrier-pigeon"}, "vendor"),
    ],
    ids=str,
)
def test_secret_that_does_not_fit(stack, account, changes, field):
    """
    A secret that does not fit is a problem that names the field and not its value.
    """
    name, token, _ = account("twilio", **changes)
    call = SimulatedCall(stack, "twilio")

    answer = call.flow("entered", account=name, token=token)

    assert (answer.status_code, answer.json()["field"]) == (500, field)
    assert not {"9001", "example.com", "not-an-account", "carrier-pigeon"} & set(answer.text.replace('"', " ").split())
    assert call.shown()["requests"] == []


def test_oauth2(stack, account):
    """
    Bandwidth's client credentials fetch one token and use it again.
    """
    _, _, document = account("bandwidth")
    oauth2 = {key: document["credentials"][key] for key in ("account_id", "client_id", "client_secret")}
    name, token, _ = account("bandwidth", only_credentials=oauth2)
    call = SimulatedCall(stack, "bandwidth")

    assert call.flow("entered", account=name, token=token).status_code == 200
    assert call.flow("left", account=name, token=token).status_code == 200


class TestWorkflowTask:
    def invoke(self, stack, aws, **task: object) -> tuple[str | None, dict]:
        """Invoke the function as Step Functions does; return its error, if any, and its payload."""
        answer = aws("lambda").invoke(FunctionName=stack["functions"]["workflow_task"], Payload=json.dumps(task))
        return answer.get("FunctionError"), json.loads(answer["Payload"].read())

    @pytest.mark.parametrize("vendor", VENDORS)
    def test_pause_and_resume(self, stack, aws, vendor):
        """
        A workflow pauses and resumes, and gets the same result object as a flow.
        """
        call = SimulatedCall(stack, vendor)
        task = {"account": f"demo-{vendor}", "call_id": call.call_id, "step": "card-entry", **_channel(call)}

        error, result = self.invoke(stack, aws, action="pause", **task)
        assert (error, result["safe_to_collect"]) == (None, True)
        call.say("4111 1111 1111 1111")
        error, result = self.invoke(stack, aws, action="resume", **task)

        assert (error, result["status"]) == (None, "in-progress")
        assert call.heard() == [[]]

    def test_error_by_class(self, stack, aws):
        """
        What HTTP would not answer with 200 is raised by its class, the result in its message.
        """
        call = SimulatedCall(stack, "twilio", recordings=0)

        error, raised = self.invoke(
            stack, aws, action="pause", account="demo-twilio", call_id=call.call_id, step="card-entry"
        )

        assert (error is not None, raised["errorType"]) == (True, "NotRecordingError")
        assert json.loads(raised["errorMessage"])["verdict"] == "not-recording"

    @pytest.mark.parametrize(
        ("task", "error_type"),
        [
            ({"account": "nobody", "action": "pause", "call_id": "x", "step": "s"}, "UnknownAccountError"),
            ({"account": "demo-twilio", "action": "erase", "call_id": "x", "step": "s"}, "InvalidTriggerError"),
            ({"account": "demo-twilio", "action": "pause", "call_id": "../x", "step": "s"}, "InvalidTriggerError"),
            ({"account": "demo-twilio", "action": "pause", "step": "s"}, "InvalidTriggerError"),
        ],
        ids=str,
    )
    def test_bad_task(self, stack, aws, task, error_type):
        """
        A task that does not fit is raised as what is wrong with it.
        """
        assert self.invoke(stack, aws, **task)[1]["errorType"] == error_type


def _channel(call: SimulatedCall) -> dict:
    return {key: call.created[key] for key in ("channel_id",) if key in call.created}
