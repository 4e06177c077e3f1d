"""How AWS is asked."""

import certifi
import pytest
from urllib3 import HTTPSConnectionPool

from call_recording.aws import clients as aws_clients
from call_recording.aws.clients import CONNECT_SECONDS, READ_SECONDS, create_clients


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    """Credentials that nobody looks up, and no file of the developer's."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "placeholder")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "placeholder")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)


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


class TestRoots:
    """By whom AWS's certificates may be signed."""

    @staticmethod
    def pool() -> HTTPSConnectionPool:
        """How botocore sets up a connection for a client of ours."""
        [client] = create_clients("dynamodb")
        session = client._endpoint.http_session
        pool = HTTPSConnectionPool("dynamodb.eu-central-1.amazonaws.com")
        session._setup_ssl_cert(pool, "https://dynamodb", session._verify)
        return pool

    def test_the_folder_of_the_layer(self, monkeypatch, tmp_path):
        """In the layer OpenSSL looks for the one root that it needs in the hashed folder, and still checks."""
        monkeypatch.setattr(aws_clients, "CA_FOLDER", tmp_path)
        pool = self.pool()

        assert (pool.cert_reqs, pool.ca_certs, pool.ca_cert_dir) == ("CERT_REQUIRED", None, str(tmp_path))

    def test_a_plain_checkout(self, monkeypatch, tmp_path):
        """Without the folder certifi's bundle is read, as botocore does it."""
        monkeypatch.setattr(aws_clients, "CA_FOLDER", tmp_path / "absent")
        pool = self.pool()

        assert (pool.cert_reqs, pool.ca_certs, pool.ca_cert_dir) == ("CERT_REQUIRED", certifi.where(), None)

    def test_a_companys_own(self, monkeypatch, tmp_path):
        """A bundle that the environment names goes before the folder: a proxy that opens TLS is believed no other way."""
        monkeypatch.setattr(aws_clients, "CA_FOLDER", tmp_path)
        monkeypatch.setenv("AWS_CA_BUNDLE", "/own/bundle.pem")
        pool = self.pool()

        assert (pool.cert_reqs, pool.ca_certs, pool.ca_cert_dir) == ("CERT_REQUIRED", "/own/bundle.pem", None)

    def test_the_folder_is_where_the_build_puts_it(self):
        """It lies beside the code."""
        assert aws_clients.CA_FOLDER.parts[-2:] == ("call_recording", "ca")
