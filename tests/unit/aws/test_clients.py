"""How AWS is asked."""

import pytest

from call_recording.aws.clients import CONNECT_SECONDS, READ_SECONDS, create_clients


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    """Credentials that nobody looks up, and no file of the developer's."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "placeholder")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "placeholder")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")


def test_each_service_has_a_client():
    """A client is made for each service that is asked for, in the function's region."""
    clients = create_clients("secretsmanager", "dynamodb", "sqs")

    assert [client.meta.service_model.service_name for client in clients] == ["secretsmanager", "dynamodb", "sqs"]
    assert {client.meta.region_name for client in clients} == {"eu-central-1"}


def test_an_outage_costs_little():
    """An AWS service that does not answer costs a pause a second and a half at most, and nothing is tried again."""
    [client] = create_clients("secretsmanager")
    config = client.meta.config

    assert (config.connect_timeout, config.read_timeout) == (CONNECT_SECONDS, READ_SECONDS)
    assert config.connect_timeout + config.read_timeout <= 1.5
    assert config.retries["total_max_attempts"] == 1


def test_no_service_no_client():
    """Nothing is made that nobody asked for."""
    assert create_clients() == []
