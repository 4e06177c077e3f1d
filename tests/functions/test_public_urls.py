"""Under which URLs vendors reach the API: from the environment to what is verified."""

import pytest


@pytest.mark.parametrize(("name", "callbacks"), [("flow_callback", "flows"), ("vendor_webhook", "webhooks")])
def test_scenario_21_the_environment_names_them(load_app, monkeypatch, name, callbacks):
    """Each function that is open to the world verifies signatures over the public URLs that the deployment names."""
    monkeypatch.setenv("PUBLIC_URLS", "https://calls.example.com/voice,https://calls.example.org")
    app = load_app(name)

    assert getattr(app, callbacks)._public_urls == ("https://calls.example.com/voice", "https://calls.example.org")
