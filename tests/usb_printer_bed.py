"""Run by the system's Python under umockdev-wrapper: a made-up USB bus with one printer, and a program that sees it.

    umockdev-wrapper /usr/bin/python3 usb_printer_bed.py BUS TERMINAL STATUS PROGRAM …

BUS describes the bus as `umockdev-record` would. The terminal stands in the place of the printer's node, and LPGETSTATUS
on it answers STATUS, a number. Ends with the program, and with its exit code.
"""

import os
import subprocess
import sys
import threading
from pathlib import Path

import gi

gi.require_version("UMockdev", "1.0")
from gi.repository import GLib, UMockdev  # noqa: E402

NODE = "/dev/usb/lp0"
LPGETSTATUS = 0x060B


def main(bus: str, terminal: str, status: str, *program: str) -> int:
    bed = UMockdev.Testbed.new()
    bed.add_from_string(Path(bus).read_text())
    node = Path(bed.get_root_dir() + NODE)
    node.unlink()
    node.symlink_to(terminal)
    port = UMockdev.IoctlBase()

    def asked(_port: object, client: UMockdev.IoctlClient) -> bool:
        if client.get_request() & 0xFFFF != LPGETSTATUS:
            return False
        client.get_arg().resolve(0, 4).update(0, int(status).to_bytes(4, sys.byteorder))
        client.complete(0, 0)
        return True

    port.connect("handle-ioctl", asked)
    bed.attach_ioctl(NODE, port)
    environment = {**os.environ, "UMOCKDEV_DIR": bed.get_root_dir()}  # Python does not see what the bed has set
    loop, codes = GLib.MainLoop(), []

    def run() -> None:
        codes.append(subprocess.run(program, check=False, env=environment).returncode)
        loop.quit()

    threading.Thread(target=run).start()
    loop.run()
    return codes[0]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
