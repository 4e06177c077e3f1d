"""No card number, code or key is in any log, metric, table, queue or answer, whatever is pushed and at any log level."""

import json
import secrets as random
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import boto3
import pytest

from local import stack as local_stack
from tests.integration import pushing
from tests.integration.calls import PATIENCE_SECONDS, VENDORS, Json, SimulatedCall, eventually
from tests.integration.leaks import CARDS, CODES, MARKERS, Search, secrets_in
from tests.integration.observed import (
    Clients,
    heard,
    keys_of_functions,
    let_talk,
    listen,
    queued,
    unguarded,
    written,
)
from tests.integration.talk import Talk, in_threads, unfit

#: Of these, Bandwidth is to tell the company's own server: they are in the Redirect of an account that has them.
REDIRECT_CREDENTIALS = {"redirect_username": "for-the-ivr", "redirect_password": "a-password-for-the-ivr"}
#: Of what the pushes bring about, this at least is announced.
ANNOUNCED = {
    "Pause Opened",
    "Pause Failed",
    "Recording Paused",
    "Recording Resumed",
    "Recording Started",
    "Stop Requested",
}
#: What else is said back: where a flow itself has asked to be sent on to. There is no other exception.
NEXT = f"https://ivr.example.com/next?pan={CARDS[0]}"


@pytest.fixture(name="state", scope="module")
def _state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Name the folder of a stack of these tests' own: what it writes is all there."""
    return tmp_path_factory.mktemp("leaks")


@pytest.fixture(name="stack", scope="module")
def _stack(state) -> Iterator[Json]:
    """Run a stack."""
    with local_stack.running(state=state, secret_ttl=1, env={"ENFORCE_IAM": "1"}) as stack:
        yield stack


@pytest.fixture(name="aws", scope="module")
def _aws(stack) -> Iterator[Clients]:
    """Make clients of its AWS, once its functions are set to DEBUG."""
    keys: Json = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}

    @cache
    def client(service: Any) -> Any:
        client = boto3.client(service, endpoint_url=stack["aws_endpoint"], region_name=stack["region"], **keys)
        opened.callback(client.close)
        return client

    with ExitStack() as opened:
        let_talk(stack, client)
        listen(stack, client)
        yield client


@pytest.fixture(name="talk")
def _talk(stack, aws) -> Iterator[Talk]:
    """Be somebody who pushes."""
    talk = Talk(stack, aws)
    yield talk
    talk.close()


@pytest.fixture(name="secret", scope="module")
def _secret(aws):
    """Read the secret of a vendor's demo account."""

    def read(vendor: str) -> Json:
        answer = aws("secretsmanager").get_secret_value(SecretId=f"call-recording/demo-{vendor}")
        document: Json = json.loads(answer["SecretString"])
        return document

    return read


@pytest.fixture(name="account", scope="module")
def _account(stack, aws):
    """Make an account whose secret is any text; give its name and what is its key if the text fits."""

    def create(document: Json | str, vendor: str) -> tuple[str, str]:
        name = f"test-{random.token_hex(4)}"
        text = document if isinstance(document, str) else json.dumps(document)
        aws("secretsmanager").create_secret(Name=f"call-recording/{name}", SecretString=text)
        return name, stack["accounts"][f"demo-{vendor}"]["bearer_token"]

    return create


def search(stack: Json, aws: Clients, *more: str) -> Search:
    """Look for every marker, every key that an account has, those of the functions, and *more*."""
    manager = aws("secretsmanager")
    keys = set(keys_of_functions(stack))
    for page in manager.get_paginator("list_secrets").paginate():
        for each in page["SecretList"]:
            text = manager.get_secret_value(SecretId=each["Name"])["SecretString"]
            keys.update(secrets_in(json.loads(text)) if text.endswith("}}") else ())
    return Search({*MARKERS, *keys, *more})


def test_scenario_35_nothing_leaks(stack, aws, talk, state, secret, account):
    """
    What callers, vendors and workflows push through every field, header, query, path and error is nowhere afterwards.
    """
    accounts = {vendor: secret(vendor) for vendor in VENDORS}
    calls = {vendor: SimulatedCall(stack, vendor) for vendor in VENDORS}
    hurried = {
        vendor: document | {"settings": document["settings"] | {"budget_ms": 900}}
        for vendor, document in accounts.items()
    }
    names = ("account_id", "client_id", "client_secret")
    oauth2 = hurried["bandwidth"] | {
        "credentials": {name: accounts["bandwidth"]["credentials"][name] for name in names}
    }
    in_threads(
        [
            *(partial(talk.outside, calls[vendor], accounts[vendor]) for vendor in VENDORS),
            *(
                partial(talk.hurt, each, account(hurried[each], each), value)
                for each in VENDORS
                for value in (CARDS[0], CODES[0], next(secrets_in(accounts[each])))
            ),
            partial(talk.hurt, "bandwidth", account(oauth2, "bandwidth"), CARDS[0], "token"),
            *(partial(talk.push, push) for push in pushing.headers(calls["twilio"], calls["bird"].token)),
            *(
                partial(talk.let_in, vendor, account(each, vendor))
                for vendor in VENDORS
                for each in unfit(accounts[vendor])
            ),
            partial(talk.let_in, "bird", account(json.dumps(accounts["bird"])[:-1], "bird")),
            partial(talk.inside, [calls["twilio"], calls["bird"]]),
        ]
    )
    bandwidth = accounts["bandwidth"] | {"credentials": accounts["bandwidth"]["credentials"] | REDIRECT_CREDENTIALS}
    redirected = SimulatedCall(stack, "bandwidth", account=account(bandwidth, "bandwidth"))
    for event in ("entered", "left"):
        path = f"/flows/{redirected.account}/card-entry/{event}?{urlencode({'next': NEXT, 'otherwise': NEXT})}"
        markup = talk.push(pushing.asked(redirected, path), [NEXT, *REDIRECT_CREDENTIALS.values()])
        assert REDIRECT_CREDENTIALS["redirect_password"] in markup.text
    refused = [each for vendor in ("twilio", "bird") for each in pushing.inputs(calls[vendor])]
    # those whose pause alone is refused, for a recording's id say, end as it stands with their call
    assert set(talk.until_ended(talk.execute(refused))) >= {"InvalidTriggerError", "UnknownAccountError"}
    talk.let_down(SimulatedCall(stack, "twilio", account=account(hurried["twilio"], "twilio")))
    tokens = [talk.captured(SimulatedCall(stack, vendor)) for vendor in VENDORS]
    sent = set(pushing.messages(calls["twilio"]))
    for body in sent:
        aws("sqs").send_message(QueueUrl=stack["timer_queue_url"], MessageBody=body)
    assert eventually(
        lambda: all(each["ReceiveCount"] for each in queued(stack) if each["Body"] in sent), PATIENCE_SECONDS
    )

    last = SimulatedCall(stack, "twilio")
    last.flow("entered")
    assert eventually(lambda: any(each["detail"]["call_id"] == last.call_id for each in heard(stack)), PATIENCE_SECONDS)

    assert talk.statuses >= {200, 204, 400, 401, 404, 413, 415, 422, 500, 502, 504}
    # what somebody else has put into the queue, and nobody could read, is there as it was sent, and nowhere else
    there = [each for each in written(stack, aws, state) if not is_one_of(sent, *each)]
    logs = {f"logs/{name}.log" for name in stack["functions"]}
    assert {where.partition(" ")[0] for where, _ in there} >= {"table", "queue", "metrics", *logs}
    assert all('"level":"DEBUG"' in text.replace(" ", "") for where, text in there if where in logs)
    assert {each["detail-type"] for each in heard(stack)} >= ANNOUNCED
    searched = search(stack, aws, *tokens)
    found = [hit for where, text in [*there, *talk.answers] for hit in searched.hits(where, text)]
    assert not found, "\n".join(map(str, found))


def test_scenario_35_the_search_sees_what_libraries_would_write(stack, aws, talk, state):
    """
    Keys and answers are found in the log of a function that differs only in that it lets its libraries talk at DEBUG.
    """
    log, call = "unguarded", SimulatedCall(stack, "twilio")
    unguarded(stack, aws, "workflow_task", log)
    answered = {"code": CODES[0], "message": CARDS[0]}
    call.fault("any", times=9, status=400, body=answered, headers={"x-error": CODES[0]}, apply=False)
    talk.invoke(log, {"account": call.account, "action": "pause", "step": "s", "call_id": call.call_id})

    written_by_it = (state / "logs" / f"{log}.log").read_text()
    found = {hit.marker for hit in search(stack, aws).hits(log, written_by_it)}

    assert found > {CODES[0], call.token}
    assert "httpcore" in written_by_it
    assert "botocore" in written_by_it


@pytest.mark.parametrize("marker", [*MARKERS, "token-ABC_123.x"])
def test_every_spelling_is_found(marker):
    """A marker is found plain, escaped, encoded, spelled in another way, and inside of something else."""
    spelled = [marker, quote(marker), quote_plus(marker), marker.encode().hex(), quote(json.dumps({"a": marker}))]
    spelled += [json.dumps("".join(f"\\u{ord(each):04x}" for each in marker)).replace("\\\\", "\\")]
    spelled += [b64encode(f"{'x' * before}{marker} and more".encode()).decode() for before in range(3)]
    spelled += ["4111 1111-1111 1111", "1111111111111114"] if marker == CARDS[0] else []
    searched = Search([marker])

    assert [text for text in spelled if not searched.hits("", f"before {text} after")] == []
    assert searched.hits("", "nothing of it at 2026-11-22T08:34:43.123Z") == []


@pytest.mark.parametrize("text", ['{"Digits": "4"}', "digit=4", "{'cvv': '1'}", '{\\"cardnumber\\": 1}'])
def test_a_payload_s_field_is_found(text):
    """A field that can hold card data is found by its name, for one digit is no marker."""
    assert Search(["x" * 9]).hits("", text) != []


def is_one_of(sent: set[str], where: str, text: str) -> bool:
    """Whether *text* is a message as we have sent it ourselves."""
    return where.startswith("queue") and json.loads(text)["Body"] in sent
