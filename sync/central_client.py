"""The kiosk's HTTP client to central: signs, sends, measures the clock, and believes only well-formed answers.

Every method blocks at most its deadline and raises CentralError for whatever is not an answer of central: a closed
port, a slow one, HTML from a captive portal, a proxy's error, a revoked credential, a 5xx. Such an answer is never a
verdict (DESIGN.md one act 5). One client belongs to one thread.

The deadline is one for the whole call, from connecting to the last byte: `DeadlineHttp` gives each wait on the socket only
what is left of it, so an answer that drips a byte a second is none either. (Looking up a name is the system's own
time; a kiosk's settings may name an address.)

Tokens: JWT EdDSA (RFC 7519, RFC 8037), bound to method, path, query and body; their time is the kiosk's clock plus the
measured offset. A 401 `token_time` carries central's clock; the call is made once more with it.
"""

import hashlib
import secrets
import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, Protocol, TypeVar

import httpcore2
import httpx2
import jwt
import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from kiosk.domain.values import IncarnationId
from kiosk.ports import CentralError, CentralReason, Clock
from sync import tolerant, wire
from sync.clock_offset import ClockOffset
from sync.encrypted import sealed_secret, write_secret
from sync.packed import CODING, WORTH, NotPacked, accepts, packed, unpacked
from sync.sealed_words import seal_word

TOKEN_LIFE_S = 120
MAX_ANSWER = 32 * 1024 * 1024
"""Bytes of an answer, packed or not; a page of 2,000 entries with long titles takes about one MiB."""
IDENTITY = "kiosk.json"
ENDED = "ended"
"""In the keys folder: the public key of a sealed identity that counts no more."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What enrolment gave this kiosk; lives in the keys folder (0600), outside the data folder, or sealed by systemd."""

    url: str
    kiosk: str
    branch: str
    private_key: str
    index_key: str
    sealing_key: str = ""
    """X25519, private: opens parcels to this kiosk."""
    central_signs: str = ""
    """Central's Ed25519 public key; empty if an older program enrolled this kiosk."""
    central_opens: str = ""
    """Central's X25519 public key."""

    def index_key_bytes(self) -> bytes:
        return wire.padded(self.index_key)

    def signs(self) -> Ed25519PrivateKey:
        """This kiosk's signature."""
        return Ed25519PrivateKey.from_private_bytes(wire.padded(self.private_key))

    def seals(self) -> Callable[[wire.WireWord], bytes] | None:
        """Makes of a word what only central can read; None if an older program enrolled this kiosk."""
        if not self.central_opens:
            return None
        to = X25519PublicKey.from_public_bytes(wire.padded(self.central_opens))
        return lambda word: seal_word(word, self.kiosk, to)

    def public_key(self) -> str:
        """As central knows it."""
        return wire.unpadded(self.signs().public_key().public_bytes_raw())


class OwnKeys(msgspec.Struct, frozen=True, kw_only=True):
    """A kiosk's two private keys before central has given it a name."""

    private_key: str
    sealing_key: str

    @classmethod
    def make(cls) -> "OwnKeys":
        return cls(
            private_key=wire.unpadded(Ed25519PrivateKey.generate().private_bytes_raw()),
            sealing_key=wire.unpadded(X25519PrivateKey.generate().private_bytes_raw()),
        )

    def public_halves(self) -> tuple[str, str]:
        """As told to central: of the signature, and of what is sealed to this kiosk."""
        signs = Ed25519PrivateKey.from_private_bytes(wire.padded(self.private_key)).public_key()
        opens = X25519PrivateKey.from_private_bytes(wire.padded(self.sealing_key)).public_key()
        return wire.unpadded(signs.public_bytes_raw()), wire.unpadded(opens.public_bytes_raw())

    def enrolled(self, url: str, told: wire.Enrolled) -> Identity:
        """The identity that these keys and central's answer make."""
        return Identity(
            url=url,
            kiosk=told.kiosk,
            branch=told.branch,
            private_key=self.private_key,
            index_key=told.index_key,
            sealing_key=self.sealing_key,
            central_signs=told.signing_key,
            central_opens=told.sealing_key,
        )


def keep_identity(keys: Path, identity: Identity) -> None:
    """On disk when this returns."""
    write_secret(keys / IDENTITY, msgspec.json.encode(identity))


def load_identity(keys: Path) -> Identity | None:
    """The enrolled identity, or None before enrolment.

    A file outranks a systemd credential of the same name: it comes from a newer enrolment, which nobody has sealed yet. A
    credential whose enrolment has ended (`end_sealed`) is none.
    """
    path = keys / IDENTITY
    told = path.read_bytes() if path.exists() else sealed_secret(path)
    if told is None:
        return None
    identity = msgspec.json.decode(told, type=Identity)
    return identity if path.exists() or not _has_ended(keys, identity) else None


def end_sealed(keys: Path) -> None:
    """The enrolment in a sealed credential has ended: systemd keeps it, so it is remembered here, on disk on return."""
    told = sealed_secret(keys / IDENTITY)
    if told is not None:
        write_secret(keys / ENDED, msgspec.json.decode(told, type=Identity).public_key().encode())


def _has_ended(keys: Path, identity: Identity) -> bool:
    note = keys / ENDED
    return note.exists() and note.read_text(encoding="ascii") == identity.public_key()


T = TypeVar("T", bound=wire.Envelope | wire.Enrolled)


class Transport(Protocol):
    """What the client needs of httpx2; tests pass one that fails on command."""

    def request(
        self, method: str, url: str, *, content: bytes, headers: dict[str, str], timeout: float
    ) -> httpx2.Response: ...

    def interrupt(self) -> None: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class _Deadline:
    """When the call under way must be over; monotonic seconds."""

    at: float = 0.0
    cut: bool = False
    """Another thread wants it over now; assignment is atomic."""

    def left(self, timeout_s: float | None) -> float:
        """Seconds for the next wait. Raises httpcore2.ReadTimeout when there are none, ReadError when it was cut."""
        if self.cut:
            raise httpcore2.ReadError("interrupted")
        left = self.at - monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout("the answer was not whole by its deadline")
        return left if timeout_s is None else min(left, timeout_s)


def _cut(stream: httpcore2.NetworkStream) -> None:
    """End what another thread waits for on this socket; under TLS too, whose own `shutdown` would drop its state."""
    found = stream.get_extra_info("socket")
    if isinstance(found, socket.socket):
        with suppress(OSError):  # it may be gone already
            socket.socket.shutdown(found, socket.SHUT_RDWR)


class _Stream(httpcore2.NetworkStream):
    """A socket that waits no longer than the call has left."""

    def __init__(self, inner: httpcore2.NetworkStream, deadline: _Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = self._deadline.left(timeout)
        self._inner = self._inner.start_tls(ssl_context, server_hostname, left)
        return self

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore2.NetworkBackend):
    """Opens such sockets."""

    def __init__(self, deadline: _Deadline) -> None:
        self._inner, self._deadline = httpcore2.SyncBackend(), deadline
        self.newest: httpcore2.NetworkStream | None = None
        """The connection in use, if any; assignment is atomic."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        left = self._deadline.left(timeout)
        opened = self._inner.connect_tcp(host, port, left, local_address, socket_options)
        self.newest = _Stream(opened, self._deadline)
        return self.newest


class DeadlineHttp:
    """The real transport: one thread's HTTP/1.1 connection to central, `timeout` counts for the whole call."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        """`tls`: whom to believe; None for the system's authorities."""
        self._deadline = _Deadline()
        context = tls or httpx2.create_ssl_context(trust_env=False)
        transport = httpx2.HTTPTransport(verify=context, trust_env=False)
        # The transport has no way to hand its pool a network backend; the pool has one.
        self._backend = _Backend(self._deadline)
        transport._pool = httpcore2.ConnectionPool(ssl_context=context, network_backend=self._backend)
        self._http = httpx2.Client(transport=transport, trust_env=False, headers={"Accept-Encoding": CODING})

    def request(
        self, method: str, url: str, *, content: bytes, headers: dict[str, str], timeout: float
    ) -> httpx2.Response:
        """Blocks at most `timeout` seconds. Raises httpx2.HTTPError."""
        self._deadline.at = monotonic() + timeout
        try:
            with self._http.stream(method, url, content=content, headers=headers, timeout=timeout) as answer:
                return _whole(answer)
        finally:
            self._deadline.cut = False

    def interrupt(self) -> None:
        """End the call under way with an error, or the next one if there is none. Any thread."""
        self._deadline.cut = True
        newest = self._backend.newest
        if newest is not None:
            _cut(newest)

    def close(self) -> None:
        self._http.close()


def _whole(answer: httpx2.Response) -> httpx2.Response:
    """The answer with its body, unpacked; neither takes more memory than MAX_ANSWER. Raises httpx2.HTTPError."""
    body = bytearray()
    for part in answer.iter_raw():
        body += part
        if len(body) > MAX_ANSWER:
            raise httpx2.DecodingError(f"more than {MAX_ANSWER} bytes")
    headers, content = answer.headers, bytes(body)
    coding = headers.pop("content-encoding", "identity")
    if coding == CODING:
        try:
            content = unpacked(content, MAX_ANSWER)
        except NotPacked as error:
            raise httpx2.DecodingError(str(error)) from error
    elif coding != "identity":
        raise httpx2.DecodingError(f"packed with {coding}, which nobody asked for")
    headers.pop("content-length", None)
    headers.pop("transfer-encoding", None)
    return httpx2.Response(answer.status_code, headers=headers, content=content)


class CentralClient:
    """One thread's client of an enrolled kiosk."""

    def __init__(
        self,
        identity: Identity,
        incarnation: IncarnationId,
        clock: Clock,
        offset: ClockOffset,
        transport: Transport | None = None,
    ) -> None:
        self._identity = identity
        self._key = identity.signs()
        self._incarnation = incarnation
        self._clock = clock
        self._offset = offset
        self.farewell: wire.Farewell | None = None
        """What central has ordered in its newest answer that held an order with its signature."""
        self._packs = False
        """Central takes packed bodies: its newest answer said so."""
        self._http: Transport = transport or DeadlineHttp()

    def close(self) -> None:
        self._http.close()

    def interrupt(self) -> None:
        """End the call under way as if the line were cut. Any thread."""
        self._http.interrupt()

    def push(self, words: list[wire.WireWord], deadline_s: float) -> wire.Pushed:
        """Say words; the answer holds one verdict for each, or this raises CentralError(NOT_CENTRAL)."""
        body = msgspec.json.encode(wire.Push(incarnation=self._incarnation, words=words))
        pushed = self._call("POST", "/v1/acts", body, wire.Pushed, deadline_s)
        named = {(verdict.act, verdict.word) for verdict in pushed.verdicts}
        if not named.issuperset((word.act, word.word) for word in words):
            raise CentralError(CentralReason.NOT_CENTRAL, "the answer does not name every act")
        return pushed

    def feed(self, cursor: str, wait_s: int) -> wire.FeedPage:
        """The next page; waits at central up to `wait_s` seconds for something to tell."""
        query = httpx2.QueryParams({"cursor": cursor, "wait_s": wait_s, "incarnation": self._incarnation})
        return self._call("GET", f"/v1/feed?{query}", b"", wire.FeedPage, wait_s + 10.0)

    def health(self, health: wire.Health, deadline_s: float) -> wire.Envelope:
        """Heartbeat and probe."""
        return self._call("POST", "/v1/health", msgspec.json.encode(health), wire.Envelope, deadline_s)

    def staff_entry(self, login: str, password: str, deadline_s: float) -> wire.StaffTold:
        """Central's word on a login for this kiosk's staff page."""
        body = msgspec.json.encode(wire.StaffAsk(login=login, password=password))
        return self._call("POST", "/v1/staff-entry", body, wire.StaffTold, deadline_s)

    def _call(self, method: str, path: str, body: bytes, answer: type[T], deadline_s: float) -> T:
        until = self._clock.monotonic() + deadline_s
        pack = self._packs and len(body) > WORTH
        body = packed(body) if pack else body
        for attempt in (1, 2):
            before = self._clock.monotonic()
            if attempt == 2 and before >= until:
                break
            headers = self._headers(method, path, body, pack)
            response = _send(self._http, method, self._identity.url + path, body, headers, until - before)
            self._packs = accepts(response.headers.get("accept-encoding")) or (self._packs and not pack)
            if response.status_code == 200:
                decoded = _decoded(response, answer)
                if isinstance(decoded, wire.Envelope):
                    self._heed(decoded.order)
                if method == "POST":
                    self._offset.hear(decoded.now, before, self._clock.monotonic())
                return decoded
            fault = _fault(response)
            self._heed(fault.order)
            if fault.code == "token_time" and fault.now is not None and attempt == 1:
                self._offset.hear(fault.now, before, self._clock.monotonic())
                continue
            raise CentralError(_reason(response.status_code, fault.code), fault.code)
        raise CentralError(CentralReason.CLOCK_WRONG)

    def _heed(self, order: wire.Order | None) -> None:
        """Whoever stands between may show anything; only central can sign."""
        if order is not None and is_centrals(self._identity, order):
            self.farewell = order.farewell

    def _headers(self, method: str, path: str, body: bytes, pack: bool) -> dict[str, str]:
        now = self._clock.now() + (self._offset.value or timedelta())
        token = signed(self._identity.kiosk, self._key, method, path, body, now)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return {**headers, "Content-Encoding": CODING} if pack else headers


def signed(kiosk: str, key: Ed25519PrivateKey, method: str, path: str, body: bytes, now: datetime) -> str:
    """A token of this kiosk for this request; `path` with its query; `now` by central's clock."""
    said = wire.request_said(method, httpx2.URL(path).raw_path.decode("ascii"))
    claims = {
        "iss": kiosk,
        "iat": int(now.timestamp()),
        "exp": int(now.timestamp()) + TOKEN_LIFE_S,
        "jti": secrets.token_urlsafe(12),
        "bh": wire.unpadded(hashlib.sha256(body).digest()),
        "rh": wire.unpadded(hashlib.sha256(said).digest()),
    }
    return jwt.encode(claims, key, algorithm="EdDSA")


def is_centrals(identity: Identity, order: wire.Order) -> bool:
    """True if central ordered this very enrolment to take leave."""
    if not identity.central_signs:
        return False
    said = wire.farewell_said(identity.kiosk, identity.public_key(), order.farewell)
    try:
        signs = Ed25519PublicKey.from_public_bytes(wire.padded(identity.central_signs))
        signs.verify(wire.padded(order.signature), said)
    except (InvalidSignature, ValueError):
        return False
    return True


def enrol(url: str, code: str, keys: Path, clock: Clock, deadline_s: float = 10.0) -> Identity:
    """Introduce a machine without records and keep what central gives; for one with records see `enrolment`. Raises CentralError."""
    identity = introduce(url, code, clock, deadline_s)
    keep_identity(keys, identity)
    return identity


def introduce(url: str, code: str, clock: Clock, deadline_s: float = 10.0, *, records_of: str = "") -> Identity:
    """Introduce this kiosk with a one-time code; nothing is kept yet. `records_of`: see `Enrol`. Raises CentralError."""
    own = OwnKeys.make()
    public_key, sealing_key = own.public_halves()
    asked = wire.Enrol(code=code, public_key=public_key, sealing_key=sealing_key, records_of=records_of)
    body = msgspec.json.encode(asked)
    http = DeadlineHttp()
    try:
        response = _send(
            http, "POST", url.rstrip("/") + "/v1/enrol", body, {"Content-Type": "application/json"}, deadline_s
        )
    finally:
        http.close()
    if response.status_code != 200 and response.status_code != 201:
        fault = _fault(response)
        raise CentralError(_reason(response.status_code, fault.code), fault.code)
    return own.enrolled(url.rstrip("/"), _decoded(response, wire.Enrolled))


def _send(
    http: Transport, method: str, url: str, body: bytes, headers: dict[str, str], deadline_s: float
) -> httpx2.Response:
    try:
        return http.request(method, url, content=body, headers=headers, timeout=deadline_s)
    except httpx2.TimeoutException as error:
        raise CentralError(CentralReason.TOO_SLOW, type(error).__name__) from error
    except httpx2.DecodingError as error:
        raise CentralError(CentralReason.NOT_CENTRAL, str(error)) from error
    except httpx2.HTTPError as error:
        if (refused := _certificate_error(error)) is not None:
            raise CentralError(CentralReason.NOT_CENTRAL, refused.verify_message) from error
        raise CentralError(CentralReason.UNREACHABLE, type(error).__name__) from error


def _certificate_error(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """Somebody answered, but could not prove to be central: expired, foreign, another name."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error


def _decoded(response: httpx2.Response, answer: type[T]) -> T:
    decoded = _read(response, answer)
    moments = [decoded.now]
    if isinstance(decoded, wire.Pushed):
        moments += [verdict.due_at for verdict in decoded.verdicts if verdict.due_at is not None]
    if any(moment.tzinfo is None for moment in moments):
        raise CentralError(CentralReason.NOT_CENTRAL, "a time without a zone")
    return decoded


S = TypeVar("S", bound=msgspec.Struct)


def _read(response: httpx2.Response, shape: type[S]) -> S:
    try:
        return tolerant.decode(response.content, shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        detail = "not the JSON of an answer" if response.status_code == 200 else f"HTTP {response.status_code}"
        raise CentralError(CentralReason.NOT_CENTRAL, detail) from error


def _fault(response: httpx2.Response) -> wire.Fault:
    fault = _read(response, wire.Fault)
    if fault.now is not None and fault.now.tzinfo is None:
        raise CentralError(CentralReason.NOT_CENTRAL, "a time without a zone")
    return fault


def _reason(status: int, code: str) -> CentralReason:
    if code in ("revoked", "retired", "unknown_kiosk"):
        return CentralReason.CREDENTIAL_REVOKED
    if code == "token_time":
        return CentralReason.CLOCK_WRONG
    if status == 429 or status >= 500:
        return CentralReason.BUSY
    return CentralReason.NOT_CENTRAL
