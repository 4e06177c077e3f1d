"""What callers say, read into a trigger."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import urlencode

import pytest

from call_recording.errors import InvalidTriggerError, UnknownAccountError
from call_recording.inbound.body import parse_body
from call_recording.inbound.fields import ACCOUNT_FIELDS, FIELDS, MAX_TEXT_LENGTH, parse_trigger
from call_recording.inbound.request import InboundRequest
from call_recording.model import Action, Trigger
from call_recording.vendors import VENDORS
from tests.unit.fakes import (
    ACCOUNT_SID,
    BANDWIDTH_ACCOUNT,
    CALL_SID,
    CALLS,
    CARD,
    CHANNEL_ID,
    CREDENTIALS,
    PROJECT_ID,
    RECORDING_SID,
    WORKSPACE_ID,
    account_secret,
    flow_event,
)

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def read(content_type: str, body: bytes) -> dict:
    """Read a body as the request of a flow brings it."""
    return parse_body(InboundRequest.of(flow_event(body, content_type=content_type), now=0.0))


def trigger(given, *, vendor="twilio", step="card-entry", message_id=None, **changed) -> Trigger:
    """Read *given* as a pause of the demo account."""
    account = account_secret(vendor, **changed).account
    return parse_trigger(given, account=account, action=Action.PAUSE, step=step, message_id=message_id)


def refusal(given, **changed) -> InvalidTriggerError:
    """Return why *given* is refused."""
    with pytest.raises(InvalidTriggerError) as caught:
        trigger(given, **changed)
    return caught.value


class TestTrigger:
    """What a trigger is made of."""

    def test_our_own_fields_are_read(self):
        """A trigger is read in our own words, whoever the vendor is."""
        read = trigger(
            {
                "call_id": CALL_SID,
                "recording_id": RECORDING_SID,
                "channel_id": CHANNEL_ID,
                "pause_id": "p-1_A",
                "event_id": "event-1",
                "occurred_at": "2026-01-31T13:00:00+01:00",
                "max_pause_seconds": 120,
                "redirect_url": "https://ivr.example.com/next",
            },
            vendor="bird",
        )

        assert (read.account, read.action, read.step) == ("demo-bird", Action.PAUSE, "card-entry")
        assert (read.call.call_id, read.call.channel_id) == (CALL_SID, CHANNEL_ID)
        assert read.call.redirect_url == "https://ivr.example.com/next"
        assert (read.recording_id, read.pause_id, read.max_pause_seconds) == (RECORDING_SID, "p-1_A", 120)
        assert read.occurred_at == datetime(2026, 1, 31, 12, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("vendor", "given", "expected"),
        [
            ("twilio", {"CallSid": "c", "RecordingSid": "r"}, ("c", "r", None)),
            ("signalwire", {"CallSid": "c", "RecordingSid": "r"}, ("c", "r", None)),
            ("bandwidth", {"callId": "c", "recordingId": "r"}, ("c", "r", None)),
            ("bird", {"callId": "c", "recordingId": "r", "channelId": "ch"}, ("c", "r", "ch")),
        ],
    )
    def test_each_vendor_s_words_are_read(self, vendor, given, expected):
        """What each vendor's platform sends by itself is read as it is."""
        read = trigger(given, vendor=vendor)

        assert (read.call.call_id, read.recording_id, read.call.channel_id) == expected

    @pytest.mark.parametrize("vendor", sorted(VENDORS.keys() - {"bird"}))
    @pytest.mark.parametrize("value", [CHANNEL_ID, CARD, "with blank", 5, [CARD]])
    def test_a_channel_is_read_only_where_there_are_channels(self, vendor, value):
        """Elsewhere nobody checks what a channel's id is: it is dropped, and never stored."""
        read = trigger({"call_id": "c", "channel_id": value}, vendor=vendor)

        assert read == trigger({"call_id": "c"}, vendor=vendor)

    def test_everything_else_is_dropped(self):
        """Fields that we do not know, card digits among them, are nowhere in a trigger."""
        read = trigger({"call_id": "c", "Digits": CARD, "SpeechResult": CARD, "tag": CARD, "cardnumber": [CARD]})

        assert CARD not in repr(read)
        assert read == trigger({"call_id": "c"})

    def test_an_event_id_is_kept_as_its_digest(self):
        """An event's id is kept as SHA-256 and never as it came."""
        read = trigger({"call_id": "c", "event_id": CARD})

        assert read.event_id == sha256(CARD.encode()).hexdigest()
        assert CARD not in repr(read)

    def test_a_signed_message_s_id_stands_for_the_event_s(self):
        """A message whose signature covers its id is good for once, also if its body names no event."""
        expected = sha256(b"msg_1").hexdigest()

        assert trigger({"call_id": "c"}, message_id="msg_1").event_id == expected
        assert trigger({"call_id": "c", "event_id": ""}, message_id="msg_1").event_id == expected
        assert trigger({"call_id": "c", "event_id": "e"}, message_id="msg_1").event_id == sha256(b"e").hexdigest()
        assert trigger({"call_id": "c"}).event_id is None

    def test_scenario_13_the_leg_that_has_the_recordings_is_the_call(self):
        """Twilio names the leg that a call was made from: recordings are that one's, so it is the call that is meant."""
        named = trigger({"CallSid": "c", "ParentCallSid": "p", "RecordingSid": "r"})

        assert named == trigger({"CallSid": "p", "RecordingSid": "r"})
        assert trigger({"CallSid": "c", "ParentCallSid": ""}).call.call_id == "c"
        assert refusal({"ParentCallSid": "p"}).field == "call_id"
        assert refusal({"CallSid": "c", "ParentCallSid": "p q"}).field == "parent_call_id"

    @pytest.mark.parametrize("vendor", sorted(VENDORS.keys() - {"twilio"}))
    @pytest.mark.parametrize("name", ["ParentCallSid", "parent_call_id"])
    def test_elsewhere_a_parent_is_not_read(self, vendor, name):
        """Only where the vendor's recordings are the other leg's does that leg count."""
        assert trigger({"call_id": "c", name: "p"}, vendor=vendor).call.call_id == "c"

    def test_a_parent_is_nobody_s_but_twilio_s_word(self):
        """Our own fields name the call itself: there is none for its parent."""
        assert trigger({"call_id": "c", "parent_call_id": "p"}).call.call_id == "c"

    @pytest.mark.parametrize("empty", [None, ""])
    def test_empty_fields_count_as_absent(self, empty):
        """A field that is null or empty, as vendors send some, counts as absent."""
        optional = dict.fromkeys(
            ("recording_id", "channel_id", "pause_id", "event_id", "occurred_at", "max_pause_seconds", "redirect_url"),
            empty,
        )

        assert trigger({"call_id": "c", "AccountSid": empty, **optional}) == trigger({"call_id": "c"})

    def test_the_same_field_in_two_spellings_may_agree(self):
        """An id that is given in the vendor's words and in ours is one id if both are the same."""
        assert trigger({"call_id": "c", "CallSid": "c"}).call.call_id == "c"

    def test_every_vendor_s_fields_are_known(self):
        """Each vendor has its fields listed, and a field that names its account."""
        assert set(FIELDS) == set(ACCOUNT_FIELDS) == set(VENDORS)


class TestRefusals:
    """What does not fit is refused by name, and not quoted."""

    @pytest.mark.parametrize("given", [{}, {"call_id": ""}, {"call_id": None}, {"CallId": "c"}, {"Digits": CARD}])
    def test_a_call_must_be_named(self, given):
        """A trigger without the call's id is refused."""
        assert str(refusal(given)) == "call_id is missing"

    @pytest.mark.parametrize("name", ["call_id", "recording_id", "channel_id", "pause_id", "event_id", "redirect_url"])
    @pytest.mark.parametrize(
        "value",
        [
            "with blank",
            " ",
            "line\nbreak",
            "trailing\n",
            "nul\x00",
            "bell\x07",
            "del\x7f",
            "ünicode",
            "\ud800",
            "x" * 10_240,
            5,
            5.5,
            True,
            False,
            float("inf"),
            ["a"],
            {"a": "b"},
        ],
    )
    def test_text_must_be_printable_and_short(self, name, value):
        """Blanks, control characters, what is not ASCII, not text, or 10 kB long is refused, by the field's name."""
        refused = refusal({"call_id": "c"} | {name: value}, vendor="bird" if name == "channel_id" else "twilio")

        assert refused.field == name
        if isinstance(value, str) and value.strip():
            assert value not in str(refused)

    def test_the_longest_text_is_still_read(self):
        """An id of exactly the greatest length is read; the vendor says whether it is one of its own."""
        assert trigger({"call_id": "c" * MAX_TEXT_LENGTH}).call.call_id == "c" * MAX_TEXT_LENGTH
        assert refusal({"call_id": "c" * (MAX_TEXT_LENGTH + 1)}).field == "call_id"

    @pytest.mark.parametrize("value", ["a.b", "a/b", "../a", "a" * 65])
    def test_a_pause_id_has_its_own_pattern(self, value):
        """A pause's id is one that we could have given."""
        assert refusal({"call_id": "c", "pause_id": value}).field == "pause_id"

    @pytest.mark.parametrize("value", [1, 300, "1", "0300", "300"])
    def test_a_number_may_come_as_text(self, value):
        """A number within the bounds is read from JSON and from a form, which has only text."""
        assert trigger({"call_id": "c", "max_pause_seconds": value}).max_pause_seconds == int(value)

    @pytest.mark.parametrize(
        "value",
        [
            float("nan"),
            float("inf"),
            -float("inf"),
            -1,
            0,
            301,
            7201,
            True,
            1.0,
            10**400,
            "12abc",
            "-1",
            "+5",
            "0",
            "7201",
            "1" * 5_000,
            "1e2",
            "0x10",
            " 5",
            "\u0665",
            "NaN",
            [5],
            {"a": 5},
        ],
    )
    def test_a_number_must_be_within_its_bounds(self, value):
        """Anything but an integer from 1 to the account's ceiling is refused, by the field's name."""
        assert refusal({"call_id": "c", "max_pause_seconds": value}).field == "max_pause_seconds"

    @pytest.mark.parametrize(
        "value", ["NaN", "Infinity", "-Infinity", "-1", "0", "7201", "1" + "0" * 400, "1e9", "1.5"]
    )
    def test_a_json_number_must_be_within_its_bounds(self, value):
        """Numbers that Python reads in JSON although they are none, or are far too large, are refused."""
        given = read(JSON, f'{{"call_id": "c", "max_pause_seconds": {value}}}'.encode())
        refused = refusal(given)

        assert refused.field == "max_pause_seconds"
        assert str(refused) == "max_pause_seconds must be an integer from 1 to 300"

    def test_the_ceiling_is_the_account_s(self):
        """How long a pause may be asked for, the account says."""
        settings = {"max_pause_seconds": 7200}

        assert trigger({"call_id": "c", "max_pause_seconds": 7200}, settings=settings).max_pause_seconds == 7200
        assert refusal({"call_id": "c", "max_pause_seconds": 7201}, settings=settings).field == "max_pause_seconds"

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
            ("2026-01-31T12:00:00.250+00:00", datetime(2026, 1, 31, 12, 0, 0, 250_000, tzinfo=UTC)),
            ("2026-01-31T00:30:00+05:30", datetime(2026, 1, 30, 19, tzinfo=UTC)),
        ],
    )
    def test_a_time_is_read_with_its_zone(self, value, expected):
        """A time is read in any zone, and kept in UTC."""
        assert trigger({"call_id": "c", "occurred_at": value}).occurred_at == expected

    @pytest.mark.parametrize(
        "value",
        [
            "2026-01-31T12:00:00",
            "2026-01-31",
            "2026-13-31T12:00:00Z",
            "1999-12-31T23:59:59Z",
            "2101-01-01T00:00:00Z",
            "0001-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59-23:59",
            "1790000000",
            1_790_000_000,
            "yesterday",
            True,
        ],
    )
    def test_a_time_that_cannot_be_meant_is_refused(self, value):
        """A time without its zone, or of another century, is refused."""
        assert refusal({"call_id": "c", "occurred_at": value}).field == "occurred_at"

    @pytest.mark.parametrize(
        "step", ["", "Card", "1card", "-card", "card entry", "card_entry", "../x", "card\n", "ü", "c" * 64, CARD]
    )
    def test_a_step_must_fit_its_pattern(self, step):
        """A step outside its pattern is refused and not quoted."""
        refused = refusal({"call_id": "c"}, step=step)

        assert refused.field == "step"
        assert not step.strip() or step not in str(refused)

    @pytest.mark.parametrize("step", ["c", "card-entry", "c" * 63, "c1-"])
    def test_a_step_that_fits_is_taken(self, step):
        """A step of one to sixty-three lower-case letters, digits and hyphens is taken."""
        assert trigger({"call_id": "c"}, step=step).step == step

    def test_two_different_ids_of_the_call_are_refused(self):
        """A call that is named twice, differently, is refused: nobody can know which is meant."""
        assert refusal({"call_id": "c", "CallSid": "d"}).field == "call_id"

    def test_a_form_field_that_comes_twice_is_refused(self):
        """A form field that is given twice with different values is refused when it is one that counts."""
        assert refusal(read(FORM, b"CallSid=c&CallSid=d")).field == "call_id"
        assert refusal(read(FORM, b"CallSid=c&CallSid=d&CallSid=c")).field == "call_id"
        assert trigger(read(FORM, b"CallSid=c&CallSid=c")).call.call_id == "c"
        assert trigger(read(FORM, b"CallSid=c&Digits=1&Digits=2")).call.call_id == "c"


class TestOwnership:
    """A payload that names the vendor's account must name ours."""

    OURS = (
        ("twilio", "AccountSid", ACCOUNT_SID),
        ("signalwire", "AccountSid", PROJECT_ID),
        ("bandwidth", "accountId", BANDWIDTH_ACCOUNT),
        ("bird", "workspaceId", WORKSPACE_ID),
    )

    @pytest.mark.parametrize(("vendor", "name", "value"), OURS)
    def test_our_own_account_is_accepted(self, vendor, name, value):
        """A payload of the account's own vendor account is taken, in whatever case."""
        for spelt in (value, value.lower(), value.upper()):
            assert trigger({"call_id": "c", name: spelt}, vendor=vendor).call.call_id == "c"

    @pytest.mark.parametrize(("vendor", "name", "value"), OURS)
    @pytest.mark.parametrize("change", ["replaced", "longer", "shorter", "number", "list", "true"])
    def test_another_account_is_refused(self, vendor, name, value, change):
        """A payload of another account of the vendor is that of a stranger, whatever else it says."""
        other = {
            "replaced": value[:-1] + "9",
            "longer": value + "0",
            "shorter": value[:-1],
            "number": 5,
            "list": [value],
            "true": True,
        }[change]

        with pytest.raises(UnknownAccountError):
            trigger({"call_id": "../", name: other}, vendor=vendor, step="../")

    def test_an_account_that_is_named_twice_is_refused(self):
        """A form that names two accounts is a stranger's."""
        with pytest.raises(UnknownAccountError):
            trigger(read(FORM, f"CallSid=c&AccountSid={ACCOUNT_SID}&AccountSid=x".encode()))

    def test_every_vendor_is_covered(self):
        """There is such a field for each vendor, and a credential that it must equal."""
        assert {vendor for vendor, _, _ in self.OURS} == set(VENDORS)
        assert all(ACCOUNT_FIELDS[vendor][1] in CREDENTIALS[vendor] for vendor in VENDORS)


@pytest.mark.parametrize("vendor", CALLS)
def test_what_is_read_of_json_and_of_a_form_is_the_same(vendor):
    """A flow may send JSON or a form: the trigger is the same."""
    given = {"call_id": CALLS[vendor], "max_pause_seconds": "20", "pause_id": "p"}
    from_json = read(JSON, json.dumps(given).encode())
    from_form = read(FORM, urlencode(given).encode())

    assert trigger(from_json, vendor=vendor) == trigger(from_form, vendor=vendor)
