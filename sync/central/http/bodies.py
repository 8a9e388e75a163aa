"""What a kiosk sent, as the handlers read it: unpacked, and told so that a newer program's words do not stop the others.

The token is proved over the bytes as they came, so this comes after it. And the feed's pages, packed for who takes that.
Pure; called on a worker thread: a page of 2,000 entries takes milliseconds.
"""

from datetime import datetime

import msgspec
from litestar import Response
from litestar.enums import MediaType
from litestar.exceptions import ClientException

from sync.central.pages import ReadyPage
from sync.packed import CODING, WORTH, NotPacked, TooLarge, unpacked
from sync.tolerant import decode
from sync.wire import FeedPage, Push

PUSH = "/v1/acts"


def plain_body(path: str, body: bytes, coding: str | None, most: int) -> bytes:
    """The body for the handler of this path. What cannot be read stays as it is: the handler refuses it.

    Raises ClientException: 413 if it is larger than `most` bytes when unpacked, 415 for a coding that is not taken.
    """
    if coding is not None and coding.strip().lower() not in ("", "identity"):
        body = _unpacked(body, coding, most)
    if path != PUSH:
        return body
    try:
        msgspec.json.decode(body, type=Push)
    except msgspec.ValidationError:
        return _told_again(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body
    return body


def page_answer(page: ReadyPage, now: datetime, held_through: int, *, pack: bool) -> Response[FeedPage]:
    """A page as an answer; packed where that is asked for and pays. What all kiosks are told was packed before."""
    begun, rest = page.part.begun, page.rest(now, held_through)
    headers = {}
    if pack and begun.size + len(rest) > WORTH:
        told, headers = begun.ended(rest), {"Content-Encoding": CODING}
    else:
        told = begun.plain() + rest
    return Response(told, headers=headers, media_type=MediaType.JSON)  # type: ignore[arg-type]  # encoded here, not there


def _unpacked(body: bytes, coding: str, most: int) -> bytes:
    if coding.strip().lower() != CODING:
        raise ClientException(f"a body may be packed with {CODING} only", status_code=415)
    try:
        return unpacked(body, most)
    except TooLarge as error:
        raise ClientException(str(error), status_code=413) from error
    except NotPacked as error:
        raise ClientException(str(error), status_code=400) from error


def _told_again(body: bytes) -> bytes:
    try:
        return msgspec.json.encode(decode(body, Push))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body
