"""Reminders as text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from call_recording.model import Call, Happening, Reminder
from call_recording.reminders import LATEST, MAX_BODY_LENGTH, MAX_ID_LENGTH, dump_reminder, parse_reminder
from tests.unit.fakes import CARD

WHOLE = Reminder("acme", Call(call_id="CA1", channel_id="channel-1"), "card-entry", "pause-1", 1_790_000_300.5)
LEAST = Reminder("acme", Call(call_id="CA1"))
HASH = "0123456789abcdef" * 4
EVENT = LEAST._replace(happening=Happening.RECORDING_STARTED, recording_id="RE1", event_id=HASH)
AT = 1_790_000_301.5

names = st.from_regex(r"[a-z][a-z0-9-]{0,62}", fullmatch=True)
ids = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=64).filter(
    lambda each: each not in {".", ".."}  # which are no ids: they would climb in a path
)
pause_ids = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
hashes = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
instants = st.floats(min_value=0, max_value=LATEST)


def body(**changed: object) -> str:
    """Return the body of a whole reminder, with other fields where named; what is None is left out."""
    fields = {**json.loads(dump_reminder(WHOLE, at=AT)), **changed}
    return json.dumps({name: value for name, value in fields.items() if value is not None})


class TestDump:
    """What is written."""

    def test_what_is_not_there_is_left_out(self):
        """A reminder of a call alone has the account, the call and the time."""
        assert json.loads(dump_reminder(LEAST, at=AT)) == {"account": "acme", "call_id": "CA1", "at": AT}

    def test_all_is_written_by_its_name(self):
        """A reminder of a pause names its step, its id and its deadline."""
        assert json.loads(dump_reminder(WHOLE, at=AT)) == {
            "account": "acme",
            "call_id": "CA1",
            "channel_id": "channel-1",
            "step": "card-entry",
            "pause_id": "pause-1",
            "deadline": 1_790_000_300.5,
            "at": AT,
        }

    def test_scenario_29_an_event_is_written_by_its_words(self):
        """What the ledger could not be told is kept as a word, ids and a digest, and nothing else of what was sent."""
        assert json.loads(dump_reminder(EVENT, at=AT)) == {
            "account": "acme",
            "call_id": "CA1",
            "happening": "recording-started",
            "recording_id": "RE1",
            "event_id": HASH,
            "at": AT,
        }

    def test_the_redirect_of_a_stop_stays_here(self):
        """A URL, which can carry anything, is not written into a queue."""
        reminder = Reminder("acme", Call(call_id="CA1", redirect_url=f"https://ivr.example.com/?card={CARD}"))

        assert CARD not in dump_reminder(reminder, at=AT)


class TestParse:
    """What is believed."""

    @given(
        st.builds(
            Reminder,
            names,
            st.builds(Call, call_id=ids, channel_id=st.none() | ids),
            st.none() | names,
            st.none() | pause_ids,
            st.none() | instants,
            st.none() | st.sampled_from(Happening),
            st.none() | ids,
            st.none() | hashes,
        ),
        instants,
    )
    def test_what_was_written_is_read(self, reminder, at):
        """Every reminder comes back as it was sent."""
        assert parse_reminder(dump_reminder(reminder, at=at)) == (reminder, at)

    def test_the_longest_ids_fit(self):
        """Ids of the greatest length still fit into a body."""
        call = Call(call_id="\\" * MAX_ID_LENGTH, channel_id='"' * MAX_ID_LENGTH)
        recording_id = "\\" * MAX_ID_LENGTH
        reminder = Reminder("a" * 63, call, "s" * 63, "p" * 64, LATEST, Happening.RECORDING_STARTED, recording_id, HASH)

        assert parse_reminder(dump_reminder(reminder, at=AT)) == (reminder, AT)

    def test_unknown_fields_are_ignored(self):
        """What a later version may add does not disturb."""
        assert parse_reminder(body(later=["x"])) == (WHOLE, AT)

    def test_whole_seconds_will_do(self):
        """A time without a fraction is a time."""
        assert parse_reminder(body(at=5, deadline=4)) == (WHOLE._replace(deadline=4.0), 5.0)

    @pytest.mark.parametrize("happening", Happening)
    def test_every_happening_is_a_word(self, happening):
        """Whatever may have happened to a call is read as what it is."""
        reminder, _ = parse_reminder(body(happening=str(happening)))

        assert reminder.happening is happening

    @pytest.mark.parametrize("name", ["account", "call_id", "at"])
    def test_some_fields_are_needed(self, name):
        """A reminder names its account, its call and its time."""
        with pytest.raises(ValueError, match=f"^the reminder has no {name}$"):
            parse_reminder(body(**{name: None}))

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("account", "Acme"),
            ("account", "../acme"),
            ("account", "a" * 64),
            ("account", 1),
            ("account", CARD),
            ("call_id", ""),
            ("call_id", "C" * (MAX_ID_LENGTH + 1)),
            ("call_id", "CA 1"),
            ("call_id", "CA1\n"),
            ("call_id", 1),
            ("channel_id", {"x": CARD}),
            ("channel_id", "ü"),
            ("step", "Card Entry"),
            ("step", "card-entry\n"),
            ("step", True),
            ("pause_id", "a" * 65),
            ("pause_id", "a/b"),
            ("pause_id", 1),
            ("happening", "Call-Over"),
            ("happening", "call-paused"),
            ("happening", ""),
            ("happening", ["call-over"]),
            ("happening", {"call-over": 1}),
            ("happening", True),
            ("recording_id", "RE 1"),
            ("recording_id", ".."),
            ("recording_id", ""),
            ("recording_id", "R" * (MAX_ID_LENGTH + 1)),
            ("recording_id", 1),
            ("event_id", HASH[:-1]),
            ("event_id", HASH + "0"),
            ("event_id", HASH.upper()),
            ("event_id", HASH + "\n"),
            ("event_id", CARD),
            ("event_id", 1),
            ("deadline", "soon"),
            ("deadline", True),
            ("deadline", float("nan")),
            ("deadline", float("inf")),
            ("at", -1),
            ("at", LATEST + 1),
            ("at", False),
            ("at", "1790000000"),
            ("at", 10**400),
        ],
        ids=lambda value: repr(value)[:20],
    )
    def test_what_does_not_fit_is_refused(self, name, value):
        """A field that does not fit is named, and its value is not."""
        with pytest.raises(ValueError, match=f"^the reminder's {name} does not fit$") as caught:
            parse_reminder(body(**{name: value}))

        assert caught.value.__cause__ is None

    @pytest.mark.parametrize("text", ["", "x", "{", f'{{"account": {CARD}', "[" * 10_000, "{}\x00"])
    def test_what_is_no_json_is_refused(self, text):
        """A body that is not JSON is refused without being quoted."""
        with pytest.raises(ValueError, match=r"^the reminder is not JSON$") as caught:
            parse_reminder(text)

        assert caught.value.__suppress_context__

    @pytest.mark.parametrize("text", ["[]", "null", "1", f'"{CARD}"'])
    def test_what_is_no_object_is_refused(self, text):
        """A body that is not an object is refused without being quoted."""
        with pytest.raises(ValueError, match=r"^the reminder is not a JSON object$"):
            parse_reminder(text)

    def test_what_is_too_long_is_not_even_read(self):
        """A body longer than any of ours is refused."""
        with pytest.raises(ValueError, match=r"^the reminder is too long$"):
            parse_reminder(body(later="x" * MAX_BODY_LENGTH))
