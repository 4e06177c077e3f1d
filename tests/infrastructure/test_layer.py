"""The built layer: small, complete, and no different from whole dependencies but for speed."""

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.loaders import Loader

import build_layer
import cut_botocore
from local import layer


@pytest.fixture(name="built", scope="module")
def _built() -> Iterator[Path]:
    with layer.built() as folder:
        yield folder / "python"


def session(data: Path | None = None) -> Any:
    """Make a botocore session, on the given data instead of its own."""
    made = botocore.session.Session()
    made.set_credentials("AKIDEXAMPLE", "secret")
    if data is not None:
        loader = Loader(extra_search_paths=[str(data)], include_default_search_paths=False)
        made.register_component("data_loader", loader)
    return made


def addresses(python_path: str) -> Any:
    """Ask a botocore, the layer's or a whole one, where it sends requests."""
    asked = [json.dumps(cut_botocore.USED_OPERATIONS), json.dumps([*regions(), "eu-future-1"])]
    command = [sys.executable, str(Path(__file__).with_name("botocore_addresses.py")), *asked]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": python_path}
    return json.loads(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)


def regions() -> list[str]:
    """List every region of every partition."""
    whole = botocore.session.Session()
    return [
        region
        for partition in whole.get_available_partitions()
        for region in whole.get_available_regions("secretsmanager", partition)
    ]


class TestBotocore:
    def test_every_used_operation_is_there(self, built):
        """A client made from the cut data has what the functions call."""
        made = session(built / "botocore" / "data")
        for service, operations in cut_botocore.USED_OPERATIONS.items():
            client = made.create_client(service, region_name="eu-west-1")

            assert set(client.meta.service_model.operation_names) == set(operations)

    def test_every_region_is_reached_as_with_whole_data(self, built):
        """Address, signing name and signing region are those of the whole data, with FIPS and dual stack too."""
        cut, whole = addresses(str(built)), addresses("")

        assert cut["botocore"].startswith(str(built))
        assert cut["botocore"] != whole["botocore"]
        assert cut["addresses"] == whole["addresses"]
        assert len(cut["addresses"]) > 150 * sum(map(len, cut_botocore.USED_OPERATIONS.values()))
        assert not {"ParamValidationError", "UnknownServiceError"} & {
            address[0] for address in cut["addresses"].values()
        }

    @pytest.mark.parametrize(
        ("service", "name"),
        [(service, name) for service, names in cut_botocore.USED_OPERATIONS.items() for name in names],
    )
    def test_an_answer_is_read_as_with_whole_data(self, built, service, name):
        """The kept shapes are those of the operation's input, output and errors."""
        cut = session(built / "botocore" / "data").get_service_model(service)
        whole = session().get_service_model(service)
        operation, original = cut.operation_model(name), whole.operation_model(name)

        assert operation.input_shape.members.keys() == original.input_shape.members.keys()
        assert (operation.output_shape is None) == (original.output_shape is None)
        if original.output_shape is not None:
            assert operation.output_shape.members.keys() == original.output_shape.members.keys()
        assert [shape.name for shape in operation.error_shapes] == [shape.name for shape in original.error_shapes]

    def test_a_member_called_documentation_is_kept(self):
        """Only texts are dropped."""
        model = {"documentation": "long", "members": {"documentation": {"shape": "String", "documentation": "long"}}}

        assert cut_botocore.without_documentation(model) == {"members": {"documentation": {"shape": "String"}}}


class TestCertificates:
    def test_they_are_those_of_certifi(self, built):
        """The hashed folder trusts whom the layer's certifi trusts, and nobody else."""
        hashed = sorted(path.read_text() for path in (built / "call_recording" / "ca").iterdir())

        assert hashed == sorted(build_layer.CERTIFICATE.findall((built / "certifi" / "cacert.pem").read_text()))

    def test_openssl_finds_each_by_its_name(self, built):
        """Every root is found in the folder by the hash of its subject."""
        folder = built / "call_recording" / "ca"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(capath=str(folder))
        command = ["openssl", "verify", "-no-CAfile", "-no-CAstore", "-CApath", str(folder)]
        roots = sorted(folder.iterdir())
        result = subprocess.run([*command, *roots], capture_output=True, text=True, check=False)

        assert result.stdout.count(": OK") == len(roots), result.stderr

    def test_a_server_is_believed_by_its_root_alone(self, tmp_path):
        """A chain is verified from the folder, and refused if its root is not in it."""
        ours, other = authority(tmp_path / "ours"), authority(tmp_path / "other")
        certificate, key = server_certificate(tmp_path, ours)
        for root, expected in ((ours, True), (other, False)):
            target = tmp_path / f"layer-{root.name}"
            (target / "certifi").mkdir(parents=True)
            (target / "certifi" / "cacert.pem").write_bytes((root / "root.pem").read_bytes())
            build_layer.hash_certificates(target)

            assert believes(target / "call_recording" / "ca", certificate, key) == expected


def openssl(*arguments: str | Path) -> None:
    """Run openssl."""
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def authority(folder: Path) -> Path:
    """Make a certificate authority."""
    folder.mkdir()
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", folder / "root.key")
    openssl("req", "-x509", *key, "-subj", f"/CN={folder.name}", "-days", "2", "-out", folder / "root.pem")
    return folder


def server_certificate(folder: Path, root: Path) -> tuple[Path, Path]:
    """Have an authority sign a certificate for vendor.example."""
    request, certificate, key, names = (folder / name for name in ("request", "server.pem", "server.key", "names"))
    names.write_text("subjectAltName=DNS:vendor.example\nauthorityKeyIdentifier=keyid\n")
    options = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key)
    openssl("req", "-new", *options, "-subj", "/CN=vendor.example", "-out", request)
    signer = ("-CA", root / "root.pem", "-CAkey", root / "root.key", "-CAcreateserial", "-extfile", names)
    openssl("x509", "-req", "-in", request, *signer, "-days", "2", "-out", certificate)
    return certificate, key


def believes(folder: Path, certificate: Path, key: Path) -> bool:
    """Shake hands in memory: does a client that trusts the folder believe the server?"""
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificate, key)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    trusting = ssl.create_default_context(capath=str(folder))
    client = trusting.wrap_bio(to_client, to_server, server_hostname="vendor.example")
    server = server_side.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError:
                return False
    return client.version() is not None


class TestContents:
    def test_the_tools_of_developers_are_not_deployed(self, built):
        """The layer has the package, and of what stands beside it in the repository nothing."""
        beside = {path.stem for path in Path(build_layer.HERE).iterdir()} - {"call_recording", "__pycache__"}

        assert (built / "call_recording" / "inbound" / "request.py").is_file()
        assert "developer_tools" in beside
        assert not beside & {path.stem for path in built.iterdir()}


class TestSize:
    def test_it_keeps_its_promise(self, built):
        """The unpacked layer stays below 20 MB, bytecode included."""
        assert 0 < build_layer.size(built) <= build_layer.MOST_BYTES

    def test_every_module_is_compiled(self, built):
        """No module is compiled by a cold start."""
        compiled = {path.name.split(".")[0] for path in built.glob("call_recording/__pycache__/*.pyc")}

        assert compiled == {path.stem for path in built.glob("call_recording/*.py")}
