"""The kiosk's HTTP client to central: signs, sends, measures the clock, and believes only well-formed answers.

Every method blocks at most its deadline and raises CentralError for whatever is not an answer of central: a closed
port, a slow one, HTML from a captive portal, a proxy's error, a revoked credential, a 5xx. Such an answer is never a
verdict (DESIGN.md one act 5). One client belongs to one thread.

The deadline is one for the whole call, from connecting to the last byte: `DeadlineHttp` gives each wait on the socket only
what is left of it, so an answer that drips a byte a second is none either. (Looking up a name is the system's own
time; a kiosk's settings may name an address.)

Tokens: JWT EdDSA (RFC 7519, RFC 8037), bound to the body by its SHA-256; their time is the kiosk's clock plus the
measured offset. A 401 `token_time` carries central's clock; the call is made once more with it.
"""

import base64
import hashlib
import secrets
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, Protocol, TypeVar

import httpcore2
import httpx2
import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from kiosk.domain.values import IncarnationId
from kiosk.ports import CentralError, CentralReason, Clock
from sync import wire
from sync.encrypted import write_secret

TOKEN_LIFE_S = 120
_IDENTITY = "kiosk.json"


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What enrolment gave this kiosk; lives in the keys folder (0600), outside the data folder."""

    url: str
    kiosk: str
    branch: str
    private_key: str
    index_key: str

    def index_key_bytes(self) -> bytes:
        return _unb64(self.index_key)

    def signing_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(_unb64(self.private_key))


def load_identity(keys: Path) -> Identity | None:
    """The enrolled identity, or None before enrolment."""
    path = keys / _IDENTITY
    return msgspec.json.decode(path.read_bytes(), type=Identity) if path.exists() else None


T = TypeVar("T", bound=wire.Envelope | wire.Enrolled)


@dataclass(slots=True)
class ClockOffset:
    """Central's clock minus the kiosk's, shared by the clients of one kiosk; assignment is atomic."""

    value: timedelta | None = None
    """None until the first answer."""


class Transport(Protocol):
    """What the client needs of httpx2; tests pass one that fails on command."""

    def request(
        self, method: str, url: str, *, content: bytes, headers: dict[str, str], timeout: float
    ) -> httpx2.Response: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class _Deadline:
    """When the call under way must be over; monotonic seconds."""

    at: float = 0.0

    def left(self, timeout_s: float | None) -> float:
        """Seconds for the next wait. Raises httpcore2.ReadTimeout when there are none."""
        left = self.at - monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout("the answer was not whole by its deadline")
        return left if timeout_s is None else min(left, timeout_s)


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
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore2.NetworkBackend):
    """Opens such sockets."""

    def __init__(self, deadline: _Deadline) -> None:
        self._inner, self._deadline = httpcore2.SyncBackend(), deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        left = self._deadline.left(timeout)
        return _Stream(self._inner.connect_tcp(host, port, left, local_address, socket_options), self._deadline)


class DeadlineHttp:
    """The real transport: one thread's HTTP/1.1 connection to central, `timeout` counts for the whole call."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        """`tls`: whom to believe; None for the system's authorities."""
        self._deadline = _Deadline()
        context = tls or httpx2.create_ssl_context(trust_env=False)
        transport = httpx2.HTTPTransport(verify=context, trust_env=False)
        # The transport has no way to hand its pool a network backend; the pool has one.
        transport._pool = httpcore2.ConnectionPool(ssl_context=context, network_backend=_Backend(self._deadline))
        self._http = httpx2.Client(transport=transport, trust_env=False)

    def request(
        self, method: str, url: str, *, content: bytes, headers: dict[str, str], timeout: float
    ) -> httpx2.Response:
        """Blocks at most `timeout` seconds. Raises httpx2.HTTPError."""
        self._deadline.at = monotonic() + timeout
        return self._http.request(method, url, content=content, headers=headers, timeout=timeout)

    def close(self) -> None:
        self._http.close()


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
        self._key = identity.signing_key()
        self._incarnation = incarnation
        self._clock = clock
        self._offset = offset
        self._http: Transport = transport or DeadlineHttp()

    def close(self) -> None:
        self._http.close()

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

    def _call(self, method: str, path: str, body: bytes, answer: type[T], deadline_s: float) -> T:
        for attempt in (1, 2):
            before = self._clock.now()
            response = _send(self._http, method, self._identity.url + path, body, self._headers(body), deadline_s)
            if response.status_code == 200:
                decoded = _decoded(response, answer)
                if method == "POST":
                    middle = before + (self._clock.now() - before) / 2
                    self._offset.value = decoded.now - middle
                return decoded
            fault = _fault(response)
            if fault.code == "token_time" and fault.now is not None and attempt == 1:
                self._offset.value = fault.now - self._clock.now()
                continue
            raise CentralError(_reason(response.status_code, fault.code), fault.code)
        raise CentralError(CentralReason.CLOCK_WRONG)

    def _headers(self, body: bytes) -> dict[str, str]:
        token = signed(self._identity.kiosk, self._key, body, self._clock.now() + (self._offset.value or timedelta()))
        return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def signed(kiosk: str, key: Ed25519PrivateKey, body: bytes, now: datetime) -> str:
    """A token of this kiosk for this body; `now` by central's clock."""
    claims = {
        "iss": kiosk,
        "iat": int(now.timestamp()),
        "exp": int(now.timestamp()) + TOKEN_LIFE_S,
        "jti": secrets.token_urlsafe(12),
        "bh": _b64(hashlib.sha256(body).digest()),
    }
    return jwt.encode(claims, key, algorithm="EdDSA")


def enrol(url: str, code: str, keys: Path, clock: Clock, deadline_s: float = 10.0) -> Identity:
    """Introduce this kiosk with a one-time code and keep what central gives. Raises CentralError."""
    key = Ed25519PrivateKey.generate()
    public = _b64(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
    body = msgspec.json.encode(wire.Enrol(code=code, public_key=public))
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
    enrolled = _decoded(response, wire.Enrolled)
    private = _b64(key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))
    identity = Identity(
        url=url.rstrip("/"),
        kiosk=enrolled.kiosk,
        branch=enrolled.branch,
        private_key=private,
        index_key=enrolled.index_key,
    )
    write_secret(keys / _IDENTITY, msgspec.json.encode(identity))
    return identity


def _send(
    http: Transport, method: str, url: str, body: bytes, headers: dict[str, str], deadline_s: float
) -> httpx2.Response:
    try:
        return http.request(method, url, content=body, headers=headers, timeout=deadline_s)
    except httpx2.TimeoutException as error:
        raise CentralError(CentralReason.TOO_SLOW, type(error).__name__) from error
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
        return msgspec.json.decode(response.content, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        detail = "not the JSON of an answer" if response.status_code == 200 else f"HTTP {response.status_code}"
        raise CentralError(CentralReason.NOT_CENTRAL, detail) from error


def _fault(response: httpx2.Response) -> wire.Fault:
    fault = _read(response, wire.Fault)
    if fault.now is not None and fault.now.tzinfo is None:
        raise CentralError(CentralReason.NOT_CENTRAL, "a time without a zone")
    return fault


def _reason(status: int, code: str) -> CentralReason:
    if code in ("revoked", "unknown_kiosk"):
        return CentralReason.CREDENTIAL_REVOKED
    if code == "token_time":
        return CentralReason.CLOCK_WRONG
    if status == 429 or status >= 500:
        return CentralReason.BUSY
    return CentralReason.NOT_CENTRAL


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
