"""Where the platform asked, and where the event says that it did."""

from base64 import b64encode

import pytest

from tests.unit.developer_tools.signed import (
    BIRD_KEY,
    DOMAIN,
    PASSWORD,
    PATH,
    PUBLIC,
    URL,
    bird,
    changed,
    document,
    found,
    standard,
    twilio_form,
    twilio_json,
)

BASIC = [{"username": "flow", "password": PASSWORD}]


def test_nothing_is_wrong_with_a_request_as_it_was_signed():
    """What verifies as deployed is told to, with the key and the URL."""
    diagnosis = found(twilio_form())

    assert (diagnosis.admitted_by, diagnosis.url, diagnosis.names) == ("credentials.auth_token", URL, ())


def test_a_public_url_is_part_of_the_deployment():
    """What verifies by PublicUrls is told to, with that URL."""
    diagnosis = found(twilio_form(f"{PUBLIC}/offtape{PATH}"), public_urls=[f"{PUBLIC}/offtape"])

    assert diagnosis.admitted_by == "credentials.auth_token"
    assert diagnosis.url == f"{PUBLIC}/offtape{PATH}"


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "voice.example.com"},
        {"x-forwarded-host": "voice.example.com"},
        {"x-forwarded-host": "proxy.internal, voice.example.com"},
        {"x-original-host": "voice.example.com"},
        {"forwarded": 'for=192.0.2.1;host="voice.example.com";proto=https'},
        {"forwarded": "for=192.0.2.1, for=192.0.2.2;Host=voice.example.com"},
    ],
)
@pytest.mark.parametrize("make", [twilio_form, twilio_json])
def test_another_host_was_asked(make, headers):
    """A proxy's or an own domain's host is found wherever proxies write it, and is to be added to PublicUrls."""
    diagnosis = found(changed(make(PUBLIC + PATH), headers=headers))

    assert diagnosis.names == ("origin",)
    assert f"Add {PUBLIC} to the parameter PublicUrls" in diagnosis.to_do[0]
    assert f"{PUBLIC}{PATH}" in diagnosis.why[0]
    assert diagnosis.key == "credentials.auth_token"


def test_another_host_is_known_from_the_command_line():
    """The host of a public URL is tried with other paths than the URL's own."""
    diagnosis = found(
        twilio_form(f"{PUBLIC}/elsewhere{PATH}"), public_urls=["https://other.example", f"{PUBLIC}/elsewhere"]
    )
    assert diagnosis.admitted_by

    diagnosis = found(twilio_form(PUBLIC + PATH), public_urls=[f"{PUBLIC}/elsewhere"])

    assert diagnosis.names == ("origin",)
    assert diagnosis.to_do == (f"Add {PUBLIC} to the parameter PublicUrls (comma-separated), and deploy.",)


def test_api_gateways_own_name_may_be_missing():
    """An event without domainName is held against what its headers name."""
    given = changed(twilio_form(), requestContext={"timeEpoch": 1})

    assert found(given).names == ("origin",)


def test_a_host_that_is_none_is_not_tried():
    """A header with something else than a host in it is left alone."""
    given = changed(twilio_form(PUBLIC + PATH), headers={"x-forwarded-host": "marker@voice.example.com/x"})

    assert found(given).names == ("wrong-key",)


def test_the_platform_asked_by_http():
    """A platform that was given an http URL is told from one that was given another host."""
    diagnosis = found(twilio_form(URL.replace("https", "http")))

    assert diagnosis.names == ("scheme",)
    assert "Give the platform the https URL" in diagnosis.to_do[0]


def test_http_is_allowed_on_loopback():
    """A local stack's own http URL may be added."""
    diagnosis = found(changed(twilio_form(f"http://127.0.0.1:8080{PATH}"), headers={"host": "127.0.0.1:8080"}))

    assert diagnosis.to_do == ("Add http://127.0.0.1:8080 to the parameter PublicUrls (comma-separated), and deploy.",)


@pytest.mark.parametrize(
    "headers",
    [{"x-forwarded-port": "8443"}, {"host": f"{DOMAIN}:8443"}, {"host": f"{DOMAIN}:8443", "x-forwarded-port": "x"}],
)
def test_another_port_was_asked(headers):
    """A port that the platform signs and API Gateway does not name is found in the headers."""
    diagnosis = found(changed(twilio_form(f"https://{DOMAIN}:8443{PATH}"), headers=headers))

    assert diagnosis.names == ("port",)
    assert f"Add https://{DOMAIN}:8443 to the parameter" in diagnosis.to_do[0]


def test_bird_signs_the_port_that_was_typed():
    """Bird's signature covers the standard port if it was typed in, which nothing else leaves a trace of."""
    diagnosis = found(bird(f"https://{DOMAIN}:443{PATH}"), document("bird"))

    assert diagnosis.names == ("port",)


def test_the_port_of_twilio_does_not_matter():
    """The standard port, with or without, is no reason."""
    assert found(twilio_form(f"https://{DOMAIN}:443{PATH}")).admitted_by


@pytest.mark.parametrize("prefix", ["/prod", "/prod/offtape"])
def test_the_event_has_a_stage_that_was_not_asked(prefix):
    """A stage or mapping key before the route is left out of what the platform signed."""
    diagnosis = found(changed(twilio_form(), rawPath=prefix + PATH))

    assert diagnosis.names == ("path-prefix",)
    assert diagnosis.to_do == (f"Add https://{DOMAIN} to the parameter PublicUrls (comma-separated), and deploy.",)


def test_the_first_segment_alone_may_be_too_much():
    """Of a stage and a mapping key one may be signed."""
    diagnosis = found(changed(twilio_form(f"https://{DOMAIN}/offtape{PATH}"), rawPath=f"/prod/offtape{PATH}"))

    assert diagnosis.names == ("path-prefix",)
    assert diagnosis.to_do[0].startswith(f"Add https://{DOMAIN}/offtape to ")


def test_a_path_that_no_public_url_leads_to():
    """Where even the route's own segments differ, the platform's URL has to change."""
    diagnosis = found(twilio_form(f"https://{DOMAIN}{PATH.removeprefix('/flows')}"))

    assert diagnosis.names == ("path-prefix",)
    assert "Give the platform a URL that ends in /flows/acme/card-entry/entered" in diagnosis.to_do[0]


def test_without_a_route_key_the_path_is_the_route():
    """An event that was written by hand, without routeKey, is looked at all the same."""
    diagnosis = found(changed(twilio_form(), rawPath="/prod" + PATH, routeKey="$default"))

    assert diagnosis.names == ("path-prefix",)


@pytest.mark.parametrize(
    ("prefix", "changes"),
    [
        ("/prod", {"requestContext": {"domainName": DOMAIN, "stage": "prod"}}),
        ("/offtape", {"headers": {"x-forwarded-prefix": "/offtape/"}}),
    ],
)
def test_the_platform_asked_with_a_stage_that_the_event_has_not(prefix, changes):
    """The stage, or the folder of a proxy, is tried before the route."""
    diagnosis = found(changed(twilio_form(f"https://{DOMAIN}{prefix}{PATH}"), **changes))

    assert diagnosis.names == ("stage",)
    assert diagnosis.to_do[0].startswith(f"Add https://{DOMAIN}{prefix} to ")


def test_host_and_path_may_both_differ():
    """A domain with a mapping key behind a proxy differs in both; one URL mends it."""
    given = changed(
        twilio_form(f"{PUBLIC}{PATH}"), rawPath="/prod" + PATH, headers={"x-forwarded-host": "voice.example.com"}
    )
    diagnosis = found(given)

    assert diagnosis.names == ("origin", "path-prefix")
    assert diagnosis.to_do == (f"Add {PUBLIC} to the parameter PublicUrls (comma-separated), and deploy.",)


@pytest.mark.parametrize(("signed", "came"), [("/", ""), ("", "/")])
def test_a_slash_at_the_end(signed, came):
    """A slash more or less at the end of the path is told."""
    assert found(changed(twilio_form(URL + signed), rawPath=PATH + came)).names == ("trailing-slash",)


class TestUserinfo:
    def test_an_authorization_that_is_blanked(self):
        """The user name and password may be in the URL that was signed: which of the account's, is told."""
        secret = document(basic=[{"username": "other", "password": "placeholder-password-02"}, *BASIC])
        url = URL.replace("https://", f"https://flow:{PASSWORD}@")
        diagnosis = found(changed(twilio_form(url), headers={"authorization": "***"}), secret)

        assert diagnosis.names == ("userinfo",)
        assert "inbound.basic[1]" in diagnosis.why[0]
        assert "put it back" in diagnosis.to_do[0]

    def test_an_authorization_that_is_there(self):
        """With the header the request is let in, and it is said by what."""
        header = "Basic " + b64encode(f"flow:{PASSWORD}".encode()).decode()
        url = URL.replace("https://", f"https://flow:{PASSWORD}@")
        diagnosis = found(changed(twilio_form(url), headers={"authorization": header}), document(basic=BASIC))

        assert (diagnosis.admitted_by, diagnosis.names) == ("inbound.basic[0]", ())

    def test_a_quoted_password(self):
        """A password with signs that a URL quotes is found as well."""
        url = URL.replace("https://", "https://flow:p%40ss%2Fword%3A1@")
        secret = document(basic=[{"username": "flow", "password": "p@ss/word:1"}])

        assert found(twilio_form(url), secret).names == ("userinfo",)

    @pytest.mark.parametrize("make", [twilio_form, bird])
    def test_a_password_that_no_url_can_have(self, make):
        """A password that would end a host breaks nothing."""
        secret = document("bird" if make is bird else "twilio", basic=[{"username": "flow", "password": "[/?#@marker"}])

        assert found(make(PUBLIC + PATH), secret).names == ("wrong-key",)

    def test_bird_signs_it_as_it_was_typed(self):
        """At Bird the URL is to be typed in without."""
        url = URL.replace("https://", f"https://flow:{PASSWORD}@")
        diagnosis = found(bird(url), document("bird", basic=BASIC))

        assert diagnosis.names == ("userinfo",)
        assert diagnosis.to_do[0].startswith("Give Bird the URL without")

    def test_a_flow_that_is_let_in_with_a_signature_that_is_not(self):
        """A request that Basic lets in is verified, and its signature is explained."""
        header = "Basic " + b64encode(f"flow:{PASSWORD}".encode()).decode()
        given = changed(twilio_form(PUBLIC + PATH), headers={"authorization": header, "host": "voice.example.com"})
        diagnosis = found(given, document(basic=BASIC))

        assert (diagnosis.admitted_by, diagnosis.names) == ("inbound.basic[0]", ("origin",))


def test_a_message_that_covers_no_url():
    """A Standard Webhooks message is verified whatever the URL, and none is named."""
    diagnosis = found(standard(), document(webhook_secrets=["whsec_" + "a2V5IG9mIGFub3RoZXIgc2VuZGVyIG9mIG1lc3NhZ2Vz"]))
    assert diagnosis.names == ("wrong-key",)

    diagnosis = found(
        changed(bird(), headers={"messagebird-signature": None}), document("bird", signing_keys=[BIRD_KEY])
    )
    assert diagnosis.names == ("no-signature",)


def test_a_url_that_no_platform_asks_for():
    """A path or query with letters beyond ASCII is tried nowhere, and breaks nothing."""
    assert found(changed(twilio_form(), rawPath="/flows/é/card-entry/entered")).names == ("wrong-key",)
    assert found(changed(twilio_form(), rawQueryString="x=éé")).names == ("query-added",)
