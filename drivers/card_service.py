"""Whether this account reaches the smart-card service. Owns one question; called by `doctor`; opens and closes one context.

A missing right and a missing service look alike to a person, and are mended in different ways. A service that takes the
connection and never answers blocks the call for good, so it runs on a thread that is left behind then.
"""

import queue
import threading

from smartcard import scard

NO_PERMISSION = 0x8010006A
"""SCARD_W_SECURITY_VIOLATION: polkit does not let this account in (pcsc-lite 2)."""
NO_ANSWER = 0x8010000A
"""SCARD_E_TIMEOUT, for a service that hangs."""
ANSWER_S = 5.0


def fault(deadline_s: float = ANSWER_S) -> int | None:
    """None when pcscd answers; else its error, unsigned. Blocks until the deadline at most."""
    answers: queue.SimpleQueue[int] = queue.SimpleQueue()
    threading.Thread(target=lambda: answers.put(_ask()), name="card-service", daemon=True).start()
    try:
        code = answers.get(timeout=deadline_s)
    except queue.Empty:
        return NO_ANSWER
    return None if code == scard.SCARD_S_SUCCESS else code & 0xFFFFFFFF


def _ask() -> int:
    code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    if code == scard.SCARD_S_SUCCESS:
        scard.SCardReleaseContext(context)
    return int(code)
