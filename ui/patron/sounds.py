"""Short sounds that agree with the screen: two rising notes, two falling, one plain. Best effort. Qt thread.

Qt's own sound module is not part of PySide6-Essentials, so a tone is computed once (16-bit mono, standard `wave`) and
handed to whatever player the machine has: PipeWire, PulseAudio or ALSA. Without one the kiosk is silent, said once in the
log; every sound repeats what the screen says anyway.
"""

import io
import math
import shutil
import struct
import wave
from functools import cache

import structlog
from PySide6.QtCore import QProcess

from kiosk.ports import Sound

RATE_HZ = 22050
LOUDNESS = 0.35
FADE_S = 0.012
"""Each note swells and dies this quickly, or it would click."""

NOTES: dict[Sound, tuple[tuple[float, float], ...]] = {
    Sound.OK: ((880.0, 0.07), (1318.5, 0.12)),
    Sound.NO: ((330.0, 0.14), (247.0, 0.22)),
    Sound.ATTENTION: ((660.0, 0.16),),
}
"""Frequency in hertz and length in seconds of each note."""

PLAYERS: tuple[tuple[str, ...], ...] = (("pw-play", "-"), ("paplay",), ("aplay", "-q", "-"))
"""Programs that play a WAV file from standard input."""

_log = structlog.get_logger(__name__)


@cache
def tone(sound: Sound) -> bytes:
    """The sound as a WAV file."""
    samples = bytearray()
    for hertz, length_s in NOTES[sound]:
        count = int(length_s * RATE_HZ)
        for n in range(count):
            swell = min(1.0, n / (FADE_S * RATE_HZ), (count - n) / (FADE_S * RATE_HZ))
            samples += struct.pack("<h", int(32767 * LOUDNESS * swell * math.sin(2 * math.pi * hertz * n / RATE_HZ)))
    memory = io.BytesIO()
    with wave.open(memory, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(bytes(samples))
    return memory.getvalue()


class Sounder:
    """Plays one sound at a time; a new one waits for nothing and is dropped while the last still sounds."""

    def __init__(self) -> None:
        self._command = next((player for player in PLAYERS if shutil.which(player[0])), None)
        self._process: QProcess | None = None
        if self._command is None:
            _log.info("There is no program here that plays sounds; the kiosk is silent")

    def play(self, sound: Sound) -> None:
        """Start the sound; never blocks and never fails."""
        if self._command is None:
            return
        if self._process is None:
            self._process = QProcess()
            self._process.setStandardOutputFile(QProcess.nullDevice())
            self._process.setStandardErrorFile(QProcess.nullDevice())
        if self._process.state() is not QProcess.ProcessState.NotRunning:
            return
        self._process.start(self._command[0], list(self._command[1:]))
        self._process.write(tone(sound))
        self._process.closeWriteChannel()

    def close(self) -> None:
        """End a sound that still plays."""
        if self._process is not None:
            self._process.kill()
            self._process.waitForFinished(200)
