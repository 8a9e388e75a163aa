"""What a kiosk sent, as the handlers read it: told so that a newer program's words do not stop the others (`tolerant`).

The token is proved over the bytes as they came, so this comes after it. Pure; called on a worker thread.
"""

import msgspec

from sync.tolerant import decode
from sync.wire import Push

PUSH = "/v1/acts"


def plain_body(path: str, body: bytes) -> bytes:
    """The body for the handler of this path. What cannot be read stays as it is: the handler refuses it."""
    if path != PUSH:
        return body
    try:
        msgspec.json.decode(body, type=Push)
    except msgspec.ValidationError:
        return _told_again(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body
    return body


def _told_again(body: bytes) -> bytes:
    try:
        return msgspec.json.encode(decode(body, Push))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body
