"""nginx as deploy/ sets it up: taken by nginx itself, and a kiosk's real TLS request through it reaches central (D2)."""

import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import msgspec
import pytest
from central_server import CentralServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kiosk.domain.values import IncarnationId
from kiosk.ports import CentralError, CentralReason
from sync import wire
from sync.central_client import CentralClient, ClockOffset, DeadlineHttp, OwnKeys, introduce
from ui.clock import SystemClock

CONF = Path(__file__).resolve().parents[2] / "deploy" / "nginx-central.conf"
START_S = 10.0


def nginx_program() -> str:
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    assert program is not None, "nginx-light is in the list of scripts/setup.sh"
    return program


class Authority:
    """A certificate authority of a town hall, and one server certificate of it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "ca.pem"
        key, name = (
            ec.generate_private_key(ec.SECP256R1()),
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Town CA")]),
        )
        self.root.write_bytes(self._signed(name, name, key.public_key(), key, ca=True))
        server = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "central.example")])
        (folder / "fullchain.pem").write_bytes(self._signed(subject, name, server.public_key(), key, ca=False))
        (folder / "privkey.pem").write_bytes(
            server.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    @staticmethod
    def _signed(
        subject: x509.Name,
        issuer: x509.Name,
        public: ec.EllipticCurvePublicKey,
        key: ec.EllipticCurvePrivateKey,
        *,
        ca: bool,
    ) -> bytes:
        now = datetime.now(UTC)
        names = [x509.DNSName("central.example"), x509.IPAddress(ip_address("127.0.0.1"))]
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(key, hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
        )


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


class Front:
    """nginx with our file, on ports and with a certificate of this test's own."""

    def __init__(self, folder: Path, central_port: int) -> None:
        self.authority = Authority(folder)
        self.plain, self.secure = free_port(), free_port()
        text = CONF.read_text(encoding="utf-8")
        for ours, here in (
            ("listen [::]:80;", ""),
            ("listen [::]:443 ssl;", ""),
            ("listen 80;", f"listen 127.0.0.1:{self.plain};"),
            ("listen 443 ssl;", f"listen 127.0.0.1:{self.secure} ssl;"),
            ("/etc/ssl/shelfpoint", str(folder)),
            ("/etc/nginx/shelfpoint-proxy.conf", str(CONF.with_name("nginx-shelfpoint-proxy.conf"))),
            ("127.0.0.1:8470", f"127.0.0.1:{central_port}"),
        ):
            assert ours in text
            text = text.replace(ours, here)
        self.conf = folder / "nginx.conf"
        places = "".join(
            f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        self.conf.write_text(
            f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;\n"
            f"events {{}}\nhttp {{ access_log off; {places}\n{text}\n}}\n",
            encoding="utf-8",
        )

    def command(self, *more: str) -> list[str]:
        return [nginx_program(), "-c", str(self.conf), "-e", str(self.conf.with_name("error.log")), *more]


@pytest.fixture(scope="module")
def central(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CentralServer]:
    server = CentralServer(tmp_path_factory.mktemp("central"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def front(central: CentralServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("nginx")
    made = Front(folder, central.port)
    with subprocess.Popen(made.command(), stderr=subprocess.DEVNULL) as running:
        deadline = time.monotonic() + START_S
        while not answers(made.secure):
            assert running.poll() is None, (folder / "error.log").read_text()
            assert time.monotonic() < deadline
        yield made
        running.terminate()


def test_nginx_takes_the_file(tmp_path: Path) -> None:
    done = subprocess.run(Front(tmp_path, 8470).command("-t"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


def test_a_request_by_tls_reaches_central_but_not_its_metrics(central: CentralServer, front: Front) -> None:
    trusts = ssl.create_default_context(cafile=str(front.authority.root))
    with urllib.request.urlopen(f"https://127.0.0.1:{front.secure}/v1/live", context=trusts, timeout=10) as answer:
        assert answer.status == 200
    with pytest.raises(urllib.error.HTTPError, match=r"40[34]") as refused:
        urllib.request.urlopen(f"https://127.0.0.1:{front.secure}/metrics", context=trusts, timeout=10)
    refused.value.close()


def test_plain_http_is_sent_to_tls(front: Front) -> None:
    with socket.create_connection(("127.0.0.1", front.plain), timeout=10) as line:
        line.sendall(b"GET /v1/live HTTP/1.0\r\nHost: central.example\r\n\r\n")
        assert b"308" in line.recv(4096).partition(b"\r\n")[0]


def test_a_kiosk_enrols_by_tls_and_central_notes_that_it_did(central: CentralServer, front: Front) -> None:
    """With the kiosk's own transport, which believes this authority as a machine does after update-ca-certificates."""
    url = f"https://127.0.0.1:{front.secure}"
    keys = OwnKeys.make()
    public_key, sealing_key = keys.public_halves()
    code = central.enrolment_code()
    asked = wire.Enrol(code=code, public_key=public_key, sealing_key=sealing_key, records_of="")
    http = DeadlineHttp(ssl.create_default_context(cafile=str(front.authority.root)))
    try:
        answer = http.request(
            "POST",
            f"{url}/v1/enrol",
            content=msgspec.json.encode(asked),
            headers={"Content-Type": "application/json"},
            timeout=10.0,
        )
    finally:
        http.close()
    assert answer.status_code in (200, 201), answer.text
    identity = keys.enrolled(url, msgspec.json.decode(answer.content, type=wire.Enrolled))
    clock = SystemClock()
    http = DeadlineHttp(ssl.create_default_context(cafile=str(front.authority.root)))
    client = CentralClient(identity, IncarnationId("first"), clock, ClockOffset(clock), http)
    try:
        assert client.feed("", 0).cursor
    finally:
        client.close()
    opened = central.open()
    try:
        assert opened.transport.seen().secure is not None
    finally:
        opened.close()


def test_a_certificate_of_a_strange_authority_is_not_central(central: CentralServer, front: Front) -> None:
    with pytest.raises(CentralError) as refused:
        introduce(f"https://127.0.0.1:{front.secure}", central.enrolment_code(), SystemClock())
    assert refused.value.reason is CentralReason.NOT_CENTRAL
