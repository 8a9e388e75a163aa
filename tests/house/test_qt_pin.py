"""The pinned PySide6 counts references right on this Python.

PySide6 6.12.0 drops one reference to None at every void call, and CPython 3.11 aborts after some 2,500 of them. So the
pin stays below 6.12 until this test passes with a newer version; it runs apart, since a failure ends the process.
"""

import subprocess
import sys

MANY_VOID_CALLS = """
from PySide6.QtCore import QCoreApplication, QObject
application = QCoreApplication([])
thing = QObject()
for _ in range(20_000):
    thing.setObjectName("x")
"""


def test_twenty_thousand_void_qt_calls_do_not_abort() -> None:
    run = subprocess.run([sys.executable, "-c", MANY_VOID_CALLS], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
