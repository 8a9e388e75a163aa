"""A picture of dots as ESC/POS takes it (GS v 0): for `drivers.escpos`, any thread; it spells no real-time command. Pure."""

import re
import struct

from PIL import Image

REAL_TIME = re.compile(rb"\x10(?=[\x04\x05\x14])")
"""Begins DLE EOT, DLE ENQ or DLE DC4, which a printer obeys at once, wherever they stand."""
_BAND_DOTS = 1024
"""Heights of 1040, 1296 and more would spell a real-time command."""


def raster(picture: Image.Image) -> bytes:
    """GS v 0: a 1-bit picture (True = paper), its width a multiple of 8; one dot is taken out where the dots spell a
    real-time command."""
    width_bytes = picture.width // 8
    dots = REAL_TIME.sub(b"\x00", bytes(byte ^ 0xFF for byte in picture.tobytes()))
    bands = [dots[start : start + width_bytes * _BAND_DOTS] for start in range(0, len(dots), width_bytes * _BAND_DOTS)]
    return b"".join(b"\x1dv0\x00" + struct.pack("<HH", width_bytes, len(band) // width_bytes) + band for band in bands)
