"""A call that is played entirely by markup: the platform fetches each document, and goes where it says.

Nothing here talks to Offtape. The company's IVR has five documents, two of which redirect the call through Offtape's URLs;
the simulated platform sends its signature (Twilio) or Basic (Bandwidth) along, and asks for the card only if it was sent on
to the document that does.
"""

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlencode
from xml.sax.saxutils import quoteattr

from local.demo_calls import CARD_NUMBER, GOODBYE, GREETING, Flow, Json, Played, faults_of

# What the documents are, in each language; a `{name}` is a URL, quoted.
_TWIML: Final = {
    "start": "<Response><Redirect method='POST'>{entered}</Redirect></Response>",
    "card": "<Response><Gather action={paid}><Say>Please enter your card number.</Say></Gather></Response>",
    "paid": "<Response><Redirect method='POST'>{left}</Redirect></Response>",
    "goodbye": f"<Response><Say>{GOODBYE}</Say><Hangup/></Response>",
    "agent": "<Response><Say>An agent will help you.</Say><Hangup/></Response>",
}
_BXML: Final = {
    "start": "<Response><Redirect redirectUrl={entered} username={username} password={password}/></Response>",
    "card": (
        "<Response><Gather gatherUrl={paid}>"
        "<SpeakSentence>Please enter your card number.</SpeakSentence></Gather></Response>"
    ),
    "paid": "<Response><Redirect redirectUrl={left} username={username} password={password}/></Response>",
    "goodbye": f"<Response><SpeakSentence>{GOODBYE}</SpeakSentence><Hangup/></Response>",
    "agent": "<Response><SpeakSentence>An agent will help you.</SpeakSentence><Hangup/></Response>",
}
LANGUAGES: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "twilio": ("twiml", _TWIML),
    "bandwidth": ("bxml", _BXML),
}

#: How each platform proves to Offtape who it is.
PROOFS: Final = {"twilio": "and signs its requests (X-Twilio-Signature)", "bandwidth": "and signs in by Basic"}


def play_markup(local: Json, vendor: str, say: Callable[[str], None]) -> Played:
    """Play one call whose caller pays by card, document by document."""
    flow = Flow(local, vendor)
    language, documents = LANGUAGES[vendor]
    home = f"{local['ivr']}/demo-{vendor}"
    for name, document in documents.items():
        body = document.format_map(_filled_in(local, vendor, home))
        served = {"path": f"/demo-{vendor}/{name}", "content_type": "application/xml", "body": body}
        flow.control("PUT", "/ivr/documents", served)
    flow.say(GREETING)
    say(f"the platform plays the call by {language} alone, {PROOFS[vendor]}")
    asked = {"language": language, "url": f"{home}/start", "caller": [CARD_NUMBER]}
    played = flow.control("POST", f"/calls/{flow.call['call_id']}/play", asked)
    for each in played["transcript"]:
        say(f"  {_told(each)}")
    did = [each["did"] for each in played["transcript"]]
    entered = [each["status"] for each in played["transcript"] if each.get("path", "").endswith("/entered")]
    faults = [] if "asked" in did else ["the card was never asked for"]
    faults += [f"the platform could not go on: {played['error']}"] if played["error"] else []
    tapes = flow.hang_up()
    return Played(
        vendor=f"{vendor} {language}",
        http_status=entered[0] if entered else 0,
        result={"verdict": "to next", "safe_to_collect": "asked" in did},
        tapes=tapes,
        faults=faults + faults_of(tapes),
    )


def _told(step: Json) -> str:
    """Put one step of the platform's into words."""
    match step["did"]:
        case "fetched":
            return f"fetched {step['path']}: {step['status']}"
        case "redirected":
            return f"is sent on to {step['to_path']}"
        case "asked":
            return "asks for the card, and the caller keys it in"
    return " ".join(str(value) for value in step.values())


def _filled_in(local: Json, vendor: str, home: str) -> dict[str, str]:
    """Give what stands in the documents' gaps."""
    step = f"{local['api']}/flows/demo-{vendor}/card-entry"
    ways_on = {
        "entered": urlencode({"next": f"{home}/card", "otherwise": f"{home}/agent"}),
        "left": urlencode({"next": f"{home}/goodbye"}),
    }
    urls = {word: f"{step}/{word}?{query}" for word, query in ways_on.items()} | {"paid": f"{home}/paid"}
    filled_in = {**urls, **local["accounts"][f"demo-{vendor}"]["basic"]}
    in_text = vendor == "twilio"  # <Redirect> has its URL as text, everything else is an attribute
    return {
        name: text.replace("&", "&amp;") if in_text and name in ways_on else quoteattr(text)
        for name, text in filled_in.items()
    }
