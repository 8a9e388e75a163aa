"""Whether this account reaches the smart-card service. Owns one question; called by `doctor`; opens and closes one context.

A missing right and a missing service look alike to a person, and are mended in different ways.
"""

from smartcard import scard

NO_PERMISSION = 0x8010006A
"""SCARD_W_SECURITY_VIOLATION: polkit does not let this account in (pcsc-lite 2)."""


def fault() -> int | None:
    """None when pcscd answers; else its error, unsigned. Blocks for milliseconds."""
    code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    if code != scard.SCARD_S_SUCCESS:
        return int(code) & 0xFFFFFFFF
    scard.SCardReleaseContext(context)
    return None
