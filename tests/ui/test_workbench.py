"""Hands at the workbench: each button does its one thing on the bench, and the paper is shown as it comes."""

import subprocess
import sys
from pathlib import Path

SCRIPT = '''
from io import BytesIO
from PIL import Image
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication, QCheckBox, QLabel, QLineEdit, QPushButton
from kiosk.ports import DeviceError, DeviceReason
from ui.patron.window import FONT
from ui.workbench.bench import Bench, TableBook, TableCard
from ui.workbench.window import WorkbenchWindow


class Table:
    """Remembers what was done."""

    def __init__(self):
        self.done, self.printed = [], []

    def cards(self):
        return [
            TableCard(name="04A1B2C3", label="悠遊卡　王小明"),
            TableCard(name="11223344", label="一卡通　陳範例", note="停權中"),
            TableCard(name="P0000001", label="條碼借閱證　林示範", scanned=True),
        ]

    def books(self):
        return [TableBook(code=f"C000000{n}", title=f"示範的書　第 {n} 冊") for n in range(1, 8)]

    def devices(self):
        return ["reader", "scanner", "printer"]

    def slips(self):
        return self.printed

    def __getattr__(self, name):
        def act(*given):
            if given == ("broken",):
                raise DeviceError(DeviceReason.NOT_PLUGGED, "scanner")
            self.done.append((name, *given))

        return act


app = QApplication([])
app.setFont(QFont(FONT))
table = Table()
bench: Bench = table
window = WorkbenchWindow(bench)
window.show()
for name in ("btn_lay_04A1B2C3", "btn_lift", "btn_tear_11223344", "btn_lay_P0000001", "btn_scan_C0000003"):
    window.findChild(QPushButton, name).click()
for name in ("network", "paper", "plug_scanner"):
    window.findChild(QCheckBox, f"switch_{name}").click()
window.findChild(QCheckBox, "switch_plug_scanner").click()
assert table.done == [
    ("lay_card", "04A1B2C3"),
    ("lift_card",),
    ("tear_card", "11223344"),
    ("scan", "P0000001"),
    ("scan", "C0000003"),
    ("set_network", False),
    ("set_paper", False),
    ("unplug", "scanner"),
    ("plug", "scanner"),
], table.done
code = window.findChild(QLineEdit, "code")
code.setText("broken")
window.findChild(QPushButton, "btn_scan").click()
assert "not_plugged" in window.statusBar().currentMessage()
png = BytesIO()
Image.new("RGB", (640, 400), "white").save(png, "PNG")
table.printed.append(png.getvalue())
window.look_for_slips()
window.look_for_slips()
assert len(window.findChildren(QLabel, "paper")) == 1
for button in window.findChildren(QPushButton):
    assert button.text() and button.objectName()
app.processEvents()
import sys
if len(sys.argv) > 1:
    window.grab().save(sys.argv[1])
print("played")
'''


def test_each_button_of_the_workbench_does_its_one_thing(tmp_path: Path) -> None:
    script = tmp_path / "table.py"
    script.write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(  # a QApplication of its own: the kiosk's tests stand on a QGuiApplication
        [sys.executable, script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[2],
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "QT_QPA_PLATFORM": "offscreen", "PATH": "/usr/bin:/bin"},
    )
    assert (done.stdout, done.returncode) == ("played\n", 0), done.stderr
