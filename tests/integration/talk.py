"""Somebody who pushes all that `pushing` has, at every function of a stack, and keeps what is answered."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from html import escape
from typing import Any

import httpx

from tests.integration import pushing
from tests.integration.calls import NO_ROOTS, PATIENCE_SECONDS, Json, SimulatedCall
from tests.integration.executions import STEP, Execution, given, wait_until_awaited
from tests.integration.insides import LedgerTable
from tests.integration.leaks import CARDS, CODES, MARKERS, secrets_in
from tests.integration.observed import Clients
from tests.integration.pushing import Push

#: The bodies of messages go to `pause_deadline` in batches of this size.
BATCH = 10


class Talk:
    """Pushes, and keeps all that is answered."""

    def __init__(self, stack: Json, aws: Clients) -> None:
        self.stack = stack
        self.answers: list[tuple[str, str]] = []
        self.statuses: set[int] = set()
        self._http = httpx.Client(verify=NO_ROOTS, timeout=PATIENCE_SECONDS)
        self._functions = aws("lambda")
        self._states = aws("stepfunctions")
        self._ledgers = LedgerTable(aws("dynamodb"), stack["ledger_table"])

    def close(self) -> None:
        """End the connections."""
        self._http.close()

    def push(self, push: Push, said_back: Sequence[str] = ()) -> httpx.Response:
        """Send a request; *said_back* is what its answer may repeat."""
        answer = self._http.post(self.stack["api"] + push.path, content=push.content, headers=push.headers)
        text = answer.text
        for each in said_back:
            text = text.replace(escape(each), "")
        self.answers.append((f"answer to {push}"[:400], f"{answer.status_code} {dict(answer.headers)} {text}"))
        self.statuses.add(answer.status_code)
        return answer

    def invoke(self, function: str, payload: Any) -> None:
        """Invoke a function with any input."""
        answer = self._functions.invoke(
            FunctionName=self.stack["functions"].get(function, function), Payload=json.dumps(payload), LogType="Tail"
        )
        said = answer.pop("Payload").read().decode()
        self.answers.append((f"{function} of {payload}"[:400], said + json.dumps(answer, default=str)))

    def execute(self, inputs: Iterable[Any]) -> list[Execution]:
        """Execute card_capture with each of *inputs*, all at once."""
        machine = self.stack["state_machines"]["card_capture"]
        return [Execution(self._states, machine, each) for each in inputs]

    def until_ended(self, executions: Iterable[Execution]) -> list[str | None]:
        """Wait for the ends of executions, and keep what can be read of each; give the errors that they failed with."""
        ends = []
        for each in executions:
            ends.append(each.ended().get("error"))
            self.answers += [(f"execution of {each.given}"[:400], json.dumps(told)) for told in each.told()]
        return ends

    def captured(self, call: SimulatedCall) -> str:
        """Execute card_capture for a call whose card is collected; give the token with which it waited.

        A channel is Bird's alone: what else stands there is allowed, and nobody's.
        """
        executions = self.execute([{"channel_id": CARDS[0]} | given(call)])
        token = wait_until_awaited(self._ledgers, call)
        # a step within is announced while the token is still there
        for event, step in (("entered", "within"), ("left", "within"), ("left", STEP)):
            call.flow(event, step=step, Digits=CARDS[0], SpeechResult=CODES[0])
        assert self.until_ended(executions) == [None]
        return token

    def let_down(self, call: SimulatedCall) -> None:
        """Execute card_capture for a call whose vendor refuses everything, with card data in its answers."""
        call.fault("any", times=3, **pushing.lying_answer(call))
        call.fault("any", times=99, status=400, body={"code": CODES[0], "message": CARDS[0]}, apply=False)
        assert self.until_ended(self.execute([given(call)])) == ["RecordingNotResumedError"]

    def outside(self, call: SimulatedCall, account: Json) -> None:
        """Push what comes from outside, about one call and its account."""
        astray = pushing.keys_astray(call, secrets_in(account))
        for push in [*pushing.flow_bodies(call), *pushing.webhook_bodies(call), *astray]:
            self.push(push)
        if call.vendor == "twilio":
            for push in pushing.signed(call, account):
                assert self.push(push).status_code != 401
            for push, said_back in pushing.queries(call):
                self.push(push, said_back)
            for push in pushing.paths(call):
                self.push(push)

    def inside(self, calls: Sequence[SimulatedCall]) -> None:
        """Invoke the functions with what nobody sends them."""
        for call in calls:
            for task in pushing.tasks(call):
                self.invoke("workflow_task", task)
            bodies = list(pushing.messages(call))
            for start in range(0, len(bodies), BATCH):
                records = [record(number, body) for number, body in enumerate(bodies[start : start + BATCH])]
                self.invoke("pause_deadline", {"Records": records})
        for function in self.stack["functions"]:
            for event in (CARDS[0], list(MARKERS), {CARDS[0]: CODES[0]}, {"Records": CARDS[0]}, {"headers": CODES[0]}):
                self.invoke(function, event)
        for number in (CARDS[0], CODES[0]):
            self.invoke("pause_deadline", {"Records": [number, {number: number}]})
            content = b64encode(number.encode()).decode()
            self.invoke(
                "flow_callback", {"body": content, "isBase64Encoded": True, "rawPath": number, "routeKey": number}
            )

    def hurt(self, vendor: str, account: tuple[str, str], value: str, action: str = "any") -> None:
        """Let a vendor answer with *value* in every way once, whoever asks: on call after call, for one may end by it."""
        call = SimulatedCall(self.stack, vendor, account=account)
        call.fault("any", times=3, **pushing.lying_answer(call))
        for effect in pushing.vendor_answers(value):
            call.control("POST", "/faults", vendor=vendor, action=action, effect=effect)
        while not all(
            each["used"]
            for each in call.control("GET", "/faults")["faults"]
            if (each["vendor"], each["action"], each["call_id"]) == (vendor, action, None)
        ):
            self.push(pushing.asked(call, f"/flows/{call.account}/card-entry/entered"))
            self.push(pushing.asked(call, f"/flows/{call.account}/card-entry/left"))
            call = SimulatedCall(self.stack, vendor, account=account)

    def let_in(self, vendor: str, account: tuple[str, str]) -> None:
        """Come with the right key to an account whose secret may not fit."""
        call = SimulatedCall(self.stack, vendor, account=account)
        assert self.push(pushing.asked(call, f"/flows/{call.account}/card-entry/entered")).status_code in {401, 500}
        self.invoke("workflow_task", {"account": call.account, "action": "pause", "step": "s", "call_id": call.call_id})


def record(number: int, body: str) -> Json:
    """Write a message as SQS hands it over, with markers in its attributes too."""
    attributes = {CARDS[0]: {"stringValue": CODES[0], "dataType": "String"}}
    return {"messageId": str(number), "body": body, "eventSource": "aws:sqs", "messageAttributes": attributes}


def unfit(document: Json) -> list[Json]:
    """Give secrets that let their callers in and do not fit, with markers in what does not."""
    changes: list[tuple[str, Json]] = [("settings", {name: f"x {CARDS[0]}"}) for name in document["settings"]]
    changes += [("settings", {CARDS[0]: CODES[0]}), ("credentials", {CARDS[0]: CODES[0]})]
    changes += [("credentials", {name: f"{value} {CODES[0]}"}) for name, value in document["credentials"].items()]
    changes += [
        ("inbound", {name: [f"ä{CARDS[0]}"]}) for name in ("signing_keys", "webhook_secrets", "basic", CODES[0])
    ]
    return [
        *(document | {section: document[section] | change} for section, change in changes),
        document | {"vendor": CODES[0]},
        document | {"vendor": "twilio", "credentials": {"account_sid": CARDS[0], "auth_token": CODES[0]}},
    ]


def in_threads(pieces: Iterable[Callable[[], object]]) -> None:
    """Do it all, four at a time."""
    with ThreadPoolExecutor(4) as pool:
        for each in [pool.submit(piece) for piece in pieces]:
            each.result()
