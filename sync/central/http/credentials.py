"""Who is calling: an Ed25519 token of at most five minutes, bound to the request that it came with (RFC 7519, RFC 8037).

Claims: iss = kiosk id, iat, exp, jti, bh = base64url(SHA-256(body)), rh = base64url(SHA-256(`wire.request_said`)). The
algorithm is fixed here and never read from the token. A token may be sent again within its life with the same request: words
are judged once and the feed only reads, so a replay gets nothing that its first use did not. A kiosk of an older program
names no rh; nobody can take it out of a token that has it. Pure but for the look-up it is given; blocks as long as that.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sync.central.fleet import Kiosk
from sync.wire import Farewell

MAX_LIFE_S = 300
MAX_SKEW_S = 60
MAX_TOKEN = 4096


class NotAllowed(Exception):
    """Not let in; `code` is constant and goes into the Fault. `kiosk`: who it is, if the signature was right."""

    def __init__(self, code: str, detail: str, kiosk: Kiosk | None = None) -> None:
        super().__init__(detail)
        self.kiosk = kiosk
        self.code = code
        self.detail = detail


def verify(header: str | None, said: bytes, body: bytes, find: Callable[[str], Kiosk | None], now: datetime) -> Kiosk:
    """The kiosk that signed this request just now; `said`: see `wire.request_said`. Raises NotAllowed."""
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token or len(token) > MAX_TOKEN:
        raise NotAllowed("no_token", "Authorization: Bearer <token> is missing")
    token = token.strip()
    try:
        unverified = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError as error:
        raise NotAllowed("bad_token", "this is no token") from error
    issuer = unverified.get("iss")
    kiosk = find(issuer) if isinstance(issuer, str) and len(issuer) <= 128 else None
    if kiosk is None:
        raise NotAllowed("unknown_kiosk", "this kiosk is not enrolled here")
    try:
        claims = jwt.decode(
            token,
            Ed25519PublicKey.from_public_bytes(kiosk.public_key),
            algorithms=["EdDSA"],
            options={
                "require": ["iss", "iat", "exp", "jti"],
                "verify_exp": False,  # times are measured below, against the clock that goes into the answer
                "verify_iat": False,
                "verify_nbf": False,
                "verify_aud": False,
            },
        )
    except jwt.PyJWTError as error:
        raise NotAllowed("bad_token", "the signature or a claim is wrong") from error
    if kiosk.revoked_at is not None and kiosk.farewell is not Farewell.RETIRE:
        raise NotAllowed("revoked", "this kiosk's credential was revoked", kiosk)
    issued, expires = _time(claims["iat"]), _time(claims["exp"])
    if not 0 < expires - issued <= MAX_LIFE_S:
        raise NotAllowed("bad_token", f"a token lives at most {MAX_LIFE_S} seconds")
    seconds = now.timestamp()
    if abs(seconds - issued) > MAX_SKEW_S or seconds > expires + MAX_SKEW_S:
        raise NotAllowed("token_time", "the token is not of this time; see `now`")
    if claims.get("rh", request := _hash(said)) != request:
        raise NotAllowed("bad_request_hash", "the token was made for another method, path or query")
    if claims.get("bh") != _hash(body):
        raise NotAllowed("bad_body_hash", "the token was made for another body")
    return kiosk


def _hash(said: bytes) -> str:
    """base64url(SHA-256) without padding."""
    return urlsafe_b64encode(hashlib.sha256(said).digest()).rstrip(b"=").decode()


def _time(value: object) -> float:
    """Seconds since 1970."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 2**40:
        raise NotAllowed("bad_token", "iat and exp are seconds since 1970")
    return value
