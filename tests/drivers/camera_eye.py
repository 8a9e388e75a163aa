"""A process that looks through the virtual camera by the real driver and tells what happens, a line for each event.

Lines on its standard input switch it: `on`, `off`, `end`.
"""

import json
import sys

import structlog

from drivers.camera import Camera
from drivers.supervisor import Supervisor
from drivers.viewfinder import Viewfinder
from drivers.virtual.video import DEVICE
from kiosk.ports import CodeRead, DeviceChanged, Event


class Teller:
    def post(self, event: Event) -> None:
        match event:
            case DeviceChanged(status=status):
                said = ["device", status.state, status.reason]
            case CodeRead(text=text, symbology=symbology):
                said = ["code", text, symbology]
            case _:
                said = ["other", repr(event), None]
        print(json.dumps(said), flush=True)


def main() -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    teller, viewfinder = Teller(), Viewfinder()
    camera = Camera("camera", DEVICE, (1280, 720), {"code39", "code128", "qr"}, teller, viewfinder)
    supervisor = Supervisor([camera], teller, back_off_s=(0.05,))
    supervisor.start()
    for line in sys.stdin:
        order = line.strip()
        if order == "end":
            break
        if order == "picture":
            seen = viewfinder.newest()
            print(json.dumps(["picture", seen and seen.width, seen and len(seen.bgr)]), flush=True)
        else:
            camera.wanted(order == "on")
    supervisor.stop()
    print(json.dumps(["ended", "cv2" in sys.modules, None]), flush=True)


main()
