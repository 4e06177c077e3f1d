"""The main job at each vendor, on the local stack: real functions, real HTTP, and tapes that tell the truth."""

import pytest

from tests.integration.calls import VENDORS, SimulatedCall

CARD = "4111 1111 1111 1111"
#: What a pause is proven with.
PROOFS = {"twilio": "observed", "signalwire": "observed", "bandwidth": "acknowledged", "bird": "observed"}
#: The vendors' own words.
PAUSED = "paused"
IN_PROGRESS = "in-progress"
CONTINUE_AT = "https://ivr.example.com/continue?a=1&b=2"
OBSERVING = [vendor for vendor in VENDORS if PROOFS[vendor] == "observed"]


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("recordings", [1, 3])
def test_card_stays_off_the_tape(stack, vendor, recordings):
    """
    The card number is on no tape of the call, and everything else is on each.
    """
    call = SimulatedCall(stack, vendor, recordings=recordings)
    call.say("hello")
    entered = call.flow("entered")
    call.say(CARD)
    left = call.flow("left")
    call.say("goodbye")

    assert (entered.status_code, left.status_code) == (200, 200)
    assert entered.json()["safe_to_collect"] is True
    assert entered.json()["proof"] == PROOFS[vendor]
    assert left.json()["safe_to_collect"] is False
    assert call.heard() == [["hello", "goodbye"]] * recordings


@pytest.mark.parametrize("vendor", VENDORS)
def test_stop(stack, vendor):
    """
    A stop ends the recording and leaves the call alive.
    """
    call = SimulatedCall(stack, vendor)
    call.say("hello")

    answer = call.flow("stop", redirect_url=CONTINUE_AT)
    call.say("goodbye")

    assert answer.status_code == 200
    assert answer.json()["status"] == "stopped"
    assert call.shown()["status"] == "in-progress"
    assert call.heard() == [["hello"]]


def test_stop_needs_a_place_to_go_on(stack):
    """
    Bandwidth's stop without a redirect_url, or with one that is not allowed, is refused and nothing is sent.
    """
    call = SimulatedCall(stack, "bandwidth")

    missing = call.flow("stop")
    foreign = call.flow("stop", redirect_url="https://evil.example.com/")

    assert [(answer.status_code, answer.json()["field"]) for answer in (missing, foreign)] == [
        (422, "redirect_url")
    ] * 2
    assert call.shown()["requests"] == []


@pytest.mark.parametrize("vendor", VENDORS)
def test_call_over(stack, vendor):
    """
    A call that is over is never safe to collect on.
    """
    call = SimulatedCall(stack, vendor)
    call.end()

    answer = call.flow("entered")

    assert answer.status_code == 409
    assert answer.json()["safe_to_collect"] is False


@pytest.mark.parametrize("vendor", OBSERVING)
def test_scenario_07_not_recording(stack, vendor):
    """
    A live call without a recording is reported as such, not as safe.
    """
    answer = SimulatedCall(stack, vendor, recordings=0).flow("entered")

    assert (answer.status_code, answer.json()["verdict"]) == (409, "not-recording")
    assert answer.json()["safe_to_collect"] is False


@pytest.mark.parametrize("vendor", ["twilio", "signalwire"])
def test_scenario_13_child_leg(stack, vendor):
    """
    The recordings of a two-leg call are found on its parent, by a trigger that knows only the child.
    """
    parent = SimulatedCall(stack, vendor)
    child = SimulatedCall(stack, vendor, recordings=0, parent_call_id=parent.call_id)

    answer = child.flow("entered")

    assert answer.json()["verdict"] == "confirmed"
    assert parent.statuses() == [PAUSED]


@pytest.mark.parametrize("vendor", ["twilio", "signalwire"])
def test_scenario_44_both_legs(stack, vendor):
    """
    Whichever leg a step is left on, the tape runs again only when the last step of both is left.
    """
    parent = SimulatedCall(stack, vendor)
    child = SimulatedCall(stack, vendor, recordings=0, parent_call_id=parent.call_id)

    entered = [parent.flow("entered").status_code, child.flow("entered", step="identity-check").status_code]
    left = child.flow("left", step="identity-check").json()["verdict"]
    while_open = parent.statuses()
    last = parent.flow("left").json()["verdict"]

    assert (entered, left, while_open) == ([200, 200], "held", [PAUSED])
    assert (last, parent.statuses()) == ("confirmed", [IN_PROGRESS])


@pytest.mark.parametrize("vendor", ["twilio", "signalwire", "bird"])
def test_named_recording(stack, vendor):
    """
    Naming a recording pauses it first, and the verdict still covers all; a stop is narrowed to it.
    """
    call = SimulatedCall(stack, vendor, recordings=2)
    named = call.created["recording_ids"][1]

    entered = call.flow("entered", recording_id=named)
    paused = call.statuses()
    stopped = call.flow("stop", recording_id=named)

    assert (entered.json()["verdict"], paused) == ("confirmed", [PAUSED, PAUSED])
    assert [each["recording_id"] for each in stopped.json()["recordings"]] == [named]
    assert call.statuses()[0] == PAUSED


@pytest.mark.parametrize("vendor", ["twilio", "signalwire", "bird"])
def test_entered_by_name_and_left_without(stack, vendor):
    """Who names a recording as it enters need not as it leaves: all that were paused are resumed, with proof, at once."""
    call = SimulatedCall(stack, vendor)
    entered = call.flow("entered", recording_id=call.created["recording_ids"][0])
    silent = call.is_silent()
    left = call.flow("left")

    assert (entered.status_code, entered.json()["verdict"], silent) == (200, "confirmed", True)
    assert (left.status_code, left.json()["verdict"]) == (200, "confirmed")
    assert call.runs()


@pytest.mark.parametrize("vendor", ["twilio", "signalwire", "bandwidth"])
def test_flow_that_fetches_markup(stack, vendor):
    """
    A flow that fetches markup is sent to card entry if the tape is paused, and elsewhere if not.
    """
    targets = {"next": "https://ivr.example.com/collect?a=1&b=2", "otherwise": "https://ivr.example.com/agent"}
    call = SimulatedCall(stack, vendor)
    paused = call.flow("entered", query=targets)
    call.fault("pause", times=1000, status=503, apply=False)
    call.flow("left")
    refused = call.flow("entered", query=targets)

    assert (paused.status_code, refused.status_code) == (200, 200)
    assert paused.headers["content-type"].endswith("/xml")
    assert "https://ivr.example.com/collect?a=1&amp;b=2" in paused.text
    assert "https://ivr.example.com/agent" in refused.text


class TestFaults:
    @pytest.mark.parametrize("vendor", VENDORS)
    @pytest.mark.parametrize(
        "effect",
        [
            {"status": 500},
            {"status": 503, "apply": False},
            {"drop": "before", "apply": False},
            {"drop": "after"},
            {"status": 429, "apply": False, "headers": {"retry-after": "1"}},
            {"status": 200, "body": "<html>it works</html>", "apply": False},
            {"status": 200, "body": '{"status": "pau', "apply": False},
            {"status": 302, "headers": {"location": "/elsewhere"}, "apply": False},
            {"delay_ms": 2500},
            {"drip_ms": 500},
        ],
        ids=str,
    )
    def test_scenario_02_one_failure(self, stack, vendor, effect):
        """
        One failed answer costs time and not the pause: it is asked again or read back, and the tape is paused.
        """
        call = SimulatedCall(stack, vendor)
        call.fault("pause", **effect)

        answer = call.flow("entered")
        call.say(CARD)

        assert (answer.status_code, answer.json()["safe_to_collect"]) == (200, True)
        assert call.heard() == [[]]

    @pytest.mark.parametrize("vendor", VENDORS)
    @pytest.mark.parametrize(
        "effect",
        [
            {"status": 500, "apply": False},
            {"drop": "before", "apply": False},
            {"status": 200, "body": "<html>it works</html>", "apply": False},
            {"status": 200, "body": '{"status": "pau', "apply": False},
            {"status": 200, "body": "[]", "apply": False},
            {"status": 200, "body": {"status": "banana"}, "apply": False},
            {"status": 302, "headers": {"location": "/elsewhere"}, "apply": False},
            {"status": 404, "apply": False},
            {"status": 409, "apply": False},
            {"status": 429, "apply": False, "headers": {"retry-after": "60"}},
            {"status": 401, "apply": False},
            {"status": 403, "apply": False},
            {"delay_ms": 30_000},
            {"drip_ms": 1000, "apply": False},
        ],
        ids=str,
    )
    def test_scenario_01_never_safe(self, stack, hurried, vendor, effect):
        """
        A vendor that keeps failing to pause is never safe to collect on.
        """
        account, token = hurried[vendor]
        call = SimulatedCall(stack, vendor)
        call.fault("pause", times=1000, **effect)

        answer = call.flow("entered", account=account, token=token)

        assert answer.status_code in (404, 409, 502, 503, 504)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["safe_to_collect"] is False

    @pytest.mark.parametrize("vendor", VENDORS)
    @pytest.mark.parametrize(
        ("effect", "verdict"),
        [
            ({"delay_ms": 30_000}, "unknown"),
            ({"drip_ms": 1000}, "unknown"),
            ({"drop": "after"}, "unknown"),
            ({"status": 500}, "unknown"),
            ({"status": 200, "body": ""}, "unknown"),
        ],
        ids=str,
    )
    def test_scenario_01_nothing_answers(self, stack, hurried, vendor, effect, verdict):
        """
        A vendor none of whose answers can be read leaves the outcome unknown, whatever it did.
        """
        account, token = hurried[vendor]
        call = SimulatedCall(stack, vendor)
        call.fault("any", times=1000, **effect)

        answer = call.flow("entered", account=account, token=token)

        if (vendor, effect) == ("bandwidth", {"status": 200, "body": ""}):
            assert answer.json()["verdict"] == "acknowledged"  # that is how Bandwidth says yes
        else:
            assert (answer.status_code, answer.json()["verdict"]) == (504, verdict)

    @pytest.mark.parametrize("vendor", VENDORS)
    @pytest.mark.parametrize("effect", [{"drop": "before", "apply": False}, {"status": 500, "apply": False}], ids=str)
    def test_resume_is_sent_once(self, stack, vendor, effect):
        """
        A resume without an answer is not sent again, and is not reported as done.
        """
        call = SimulatedCall(stack, vendor)
        call.flow("entered")
        before = call.requests("POST") + call.requests("PUT") + call.requests("PATCH")
        call.fault("resume", times=1000, **effect)

        answer = call.flow("left")

        assert (answer.status_code, answer.json()["verdict"]) == (504, "unknown")
        assert call.requests("POST") + call.requests("PUT") + call.requests("PATCH") == before + 1

    def test_scenario_03_accepted_and_never_applied(self, stack):
        """
        Bird's 202 alone is not believed.
        """
        call = SimulatedCall(stack, "bird")
        call.fault("pause", times=1000, apply=False)

        answer = call.flow("entered")

        assert (answer.status_code, answer.json()["verdict"]) == (502, "unconfirmed")

    def test_scenario_03_accepted_and_lied_about(self, stack):
        """
        Not even if it names the recording as paused.
        """
        call = SimulatedCall(stack, "bird")
        lie = {"id": call.created["recording_ids"][0], "callId": call.call_id, "status": "paused"}
        call.fault("pause", times=1000, apply=False, status=202, body=lie)

        assert call.flow("entered").json()["verdict"] == "unconfirmed"

    def test_scenario_04_applied_late(self, stack):
        """
        A pause that Bird applies after a second and a half is polled for, and confirmed.
        """
        call = SimulatedCall(stack, "bird")
        call.fault("pause", apply_after_ms=1500)

        assert call.flow("entered").json()["verdict"] == "confirmed"

    @pytest.mark.parametrize("vendor", OBSERVING)
    def test_scenario_09_partial(self, stack, vendor):
        """
        Two of three recordings paused is not success.
        """
        call = SimulatedCall(stack, vendor, recordings=3)
        call.flow("left")  # for Twilio: the first request only finds out that there are several
        if vendor == "twilio":
            call.fault("pause", status=400, body={"code": 16108}, apply=False)
        call.fault("pause", times=1, status=422, apply=False)

        answer = call.flow("entered")

        assert (answer.status_code, answer.json()["verdict"]) == (502, "unconfirmed")
        assert sorted(call.statuses()).count(PAUSED) == 2

    def test_scenario_12_busy(self, stack):
        """
        Twilio's 16114 is tried again.
        """
        call = SimulatedCall(stack, "twilio")
        call.fault("pause", times=2, status=409, body={"code": 16114}, apply=False)

        assert call.flow("entered").json()["verdict"] == "confirmed"

    def test_scenario_05_retry_after(self, stack):
        """
        A rate limit longer than the budget is passed on.
        """
        call = SimulatedCall(stack, "twilio")
        call.fault("pause", times=1000, status=429, headers={"retry-after": "17"}, apply=False)

        answer = call.flow("entered")

        assert (answer.status_code, answer.headers["retry-after"]) == (503, "17")
