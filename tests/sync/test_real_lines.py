"""What is no answer, over real sockets: portals, proxies, dripping bytes, silence, an expired certificate."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import httpx2
import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from kiosk_sync import SyncKiosk, fault, identity

from kiosk.domain.journal import Word
from kiosk.domain.values import IncarnationId
from kiosk.ports import AnswerMissing, CentralReason, Link, LinkChanged
from sync.central_client import MAX_ANSWER, CentralClient, DeadlineHttp
from sync.packed import packed

DEADLINE_S = 0.4
PROBE_S = 3.0
Answer = Callable[[socket.socket, threading.Event], None]


class Counterpart:
    """A listening socket that treats every connection alike until it is closed."""

    def __init__(self, answer: Answer, tls: ssl.SSLContext | None = None) -> None:
        self._answer, self._tls = answer, tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with suppress(OSError):
                connection.settimeout(5.0)
                if self._tls is not None:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                _read_request(connection)
                self._answer(connection, self._stop)
            connection.close()

    def close(self) -> None:
        self._stop.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5.0)


def _read_request(connection: socket.socket) -> None:
    """Head and body; a socket closed with unread bytes would cut the answer off."""
    read = b""
    while b"\r\n\r\n" not in read:
        read += connection.recv(65536) or b"\r\n\r\n"
    head, _, body = read.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length and (more := connection.recv(65536)):
        body += more


def says(status: str, body: bytes, kind: str = "text/html") -> Answer:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return lambda connection, _: connection.sendall(head.encode() + body)


def drips(head: bytes) -> Answer:
    """The head at once, then a byte every 50 ms: no single wait is long."""

    def answer(connection: socket.socket, stop: threading.Event) -> None:
        connection.sendall(head)
        while not stop.wait(0.05):
            connection.sendall(b"x")

    return answer


def is_silent(connection: socket.socket, stop: threading.Event) -> None:
    stop.wait(5.0)


NO_ANSWERS = {
    "a captive portal": (says("200 OK", b"<html>Please log in</html>"), CentralReason.NOT_CENTRAL),
    "a portal that redirects": (says("302 Found", b""), CentralReason.NOT_CENTRAL),
    "413 of a proxy": (says("413 Content Too Large", b"<html>"), CentralReason.NOT_CENTRAL),
    "413 of central": (says("413 X", fault("too_large"), "application/json"), CentralReason.NOT_CENTRAL),
    "429 of central": (says("429 X", fault("slow_down"), "application/json"), CentralReason.BUSY),
    "502 of a proxy": (says("502 Bad Gateway", b"<html>"), CentralReason.NOT_CENTRAL),
    "a revoked credential": (says("401 X", fault("revoked"), "application/json"), CentralReason.CREDENTIAL_REVOKED),
    "no HTTP": (lambda line, _: line.sendall(b"SSH-2.0\r\n"), CentralReason.UNREACHABLE),
    "half an answer": (
        lambda line, _: line.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"epoch"'),
        CentralReason.UNREACHABLE,
    ),
    "silence": (is_silent, CentralReason.TOO_SLOW),
    "a dripping body": (drips(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"), CentralReason.TOO_SLOW),
    "a dripping head": (drips(b"HTTP/1.1 200 OK\r\nX-Slow: "), CentralReason.TOO_SLOW),
}


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[SyncKiosk]:
    """Online, through the fake; then its line is changed."""
    kiosk = SyncKiosk(tmp_path)
    kiosk.turns()
    assert kiosk.heard() == [LinkChanged(Link.ONLINE)]
    yield kiosk
    kiosk.log.close()


def ask_over(kiosk: SyncKiosk, url: str, tls: ssl.SSLContext | None = None) -> list[object]:
    """Two facts wait; one of them is asked for over a real line. What was posted."""
    waiting, said = kiosk.says(), kiosk.says(Word.FACT)
    http = DeadlineHttp(tls)
    whom = msgspec.structs.replace(identity(), url=url)
    kiosk.sync._client = CentralClient(whom, IncarnationId("i1"), kiosk.clock, kiosk.offset, http)
    kiosk.sync._deadline_s = DEADLINE_S
    kiosk.sync.ask(said.id)
    kiosk.sync.turn()
    http.close()
    assert {word.act.id for word in kiosk.log.unsent(9)} == {waiting.id, said.id}
    return [event if not isinstance(event, AnswerMissing) else event.reason for event in kiosk.heard()]


@pytest.mark.parametrize(("answer", "reason"), NO_ANSWERS.values(), ids=NO_ANSWERS.keys())
def test_no_answer_over_a_socket_ends_online_mode_in_time_and_deletes_nothing(
    kiosk: SyncKiosk, answer: Answer, reason: CentralReason
) -> None:
    other_side = Counterpart(answer)
    began = monotonic()
    try:
        heard = ask_over(kiosk, f"http://127.0.0.1:{other_side.port}")
    finally:
        other_side.close()
    assert heard == [LinkChanged(Link.OFFLINE, reason), reason]
    assert monotonic() - began < DEADLINE_S + PROBE_S + 1.0  # the ask, and the probe after it


# --- packed answers -----------------------------------------------------------------------------------------------


def says_packed(body: bytes, coding: str = "gzip") -> Answer:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return lambda connection, _: connection.sendall(head.encode() + body)


def answer_of(answer: Answer) -> httpx2.Response:
    other_side, http = Counterpart(answer), DeadlineHttp()
    try:
        return http.request("GET", f"http://127.0.0.1:{other_side.port}", content=b"", headers={}, timeout=5.0)
    finally:
        http.close()
        other_side.close()


def test_a_packed_answer_is_read() -> None:
    assert answer_of(says_packed(packed(b'{"a": 1}'))).content == b'{"a": 1}'


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (says_packed(packed(bytes(MAX_ANSWER + 1))), "larger than"),
        (says_packed(packed(b"x" * 100)[:-3]), "ends too early"),
        (says_packed(b"x", "br"), "packed with br"),
    ],
    ids=["a bomb", "torn", "another coding"],
)
def test_an_answer_that_cannot_be_unpacked_is_none(kiosk: SyncKiosk, answer: Answer, why: str) -> None:
    with pytest.raises(httpx2.DecodingError, match=why):
        answer_of(answer)
    other_side = Counterpart(answer)
    try:
        heard = ask_over(kiosk, f"http://127.0.0.1:{other_side.port}")
    finally:
        other_side.close()
    assert heard == [LinkChanged(Link.OFFLINE, CentralReason.NOT_CENTRAL), CentralReason.NOT_CENTRAL]


# --- certificates -------------------------------------------------------------------------------------------------


def certificates(folder: Path, *, ends: datetime, name: str = "127.0.0.1") -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The server's side of TLS with a certificate that ends then, and a client's that believes its authority."""
    now = datetime.now(UTC)
    authority, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])

    def certificate(subject: x509.Name, key: ec.EllipticCurvePrivateKey, end: datetime) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(root)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=9))
            .not_valid_after(end)
        )

    own = (
        certificate(root, authority, now + timedelta(days=9))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority.public_key()), critical=False)
        .sign(authority, hashes.SHA256())
    )
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))])
    servers = (
        certificate(x509.Name([]), leaf, ends)
        .add_extension(address, critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
        .sign(authority, hashes.SHA256())
    )
    file = folder / "server.pem"
    plain = leaf.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(servers.public_bytes(Encoding.PEM) + plain)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    client = ssl.create_default_context(cadata=own.public_bytes(Encoding.PEM).decode())
    return server, client


@pytest.mark.parametrize("fault_of", ["expired", "another name", "foreign authority", "none"])
def test_only_a_valid_certificate_of_a_known_authority_is_central(
    kiosk: SyncKiosk, tmp_path: Path, fault_of: str
) -> None:
    ends = datetime.now(UTC) + timedelta(days=-1 if fault_of == "expired" else 5)
    name = "127.0.0.2" if fault_of == "another name" else "127.0.0.1"
    server, client = certificates(tmp_path, ends=ends, name=name)
    if fault_of == "foreign authority":
        client = ssl.create_default_context()
    other_side = Counterpart(says("429 X", fault("slow_down"), "application/json"), server)
    try:
        heard = ask_over(kiosk, f"https://127.0.0.1:{other_side.port}", client)
    finally:
        other_side.close()
    reason = CentralReason.BUSY if fault_of == "none" else CentralReason.NOT_CENTRAL
    assert heard == [LinkChanged(Link.OFFLINE, reason), reason]


# --- a call cut short --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sealed", [False, True], ids=["http", "https"])
def test_a_long_poll_ends_when_another_thread_wants_it_and_the_line_serves_again(tmp_path: Path, sealed: bool) -> None:
    server, client = certificates(tmp_path, ends=datetime.now(UTC) + timedelta(days=5))
    asked = threading.Event()
    told = says("204 No Content", b"")

    def silent_once(connection: socket.socket, stop: threading.Event) -> None:
        if asked.is_set():
            told(connection, stop)
        else:
            asked.set()
            connection.recv(1)  # until the other end is cut

    other_side = Counterpart(silent_once, server if sealed else None)
    http = DeadlineHttp(client if sealed else None)
    url = f"http{'s' if sealed else ''}://127.0.0.1:{other_side.port}/"

    def cut() -> None:
        asked.wait(5.0)
        http.interrupt()

    cutter = threading.Thread(target=cut)
    cutter.start()
    try:
        with pytest.raises(httpx2.TransportError):
            http.request("GET", url, content=b"", headers={}, timeout=60.0)
        assert http.request("GET", url, content=b"", headers={}, timeout=5.0).status_code == 204
    finally:
        cutter.join()
        http.close()
        other_side.close()
