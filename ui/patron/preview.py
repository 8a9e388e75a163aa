"""What the camera sees, for QML: an image provider over the viewfinder that the camera's thread fills. Qt thread.

QML asks again ten times a second while the picture is shown (`CameraView.qml`); frames are never pushed at it, so a
slow screen costs the camera nothing.
"""

from PySide6.QtCore import QSize
from PySide6.QtGui import QImage
from PySide6.QtQuick import QQuickImageProvider

from drivers.viewfinder import Viewfinder

PROVIDER = "camera"
"""Its name in the addresses: image://camera/…"""


class CameraPictures(QQuickImageProvider):
    """Gives out the newest picture; one clear pixel while there is none."""

    def __init__(self, viewfinder: Viewfinder) -> None:
        super().__init__(QQuickImageProvider.ImageType.Image)
        self._viewfinder = viewfinder

    def requestImage(self, _name: str, _size: QSize, _requested: QSize) -> QImage:
        picture = self._viewfinder.newest()
        if picture is None:
            clear = QImage(1, 1, QImage.Format.Format_ARGB32)
            clear.fill(0)
            return clear
        row = picture.width * 3
        return QImage(picture.bgr, picture.width, picture.height, row, QImage.Format.Format_BGR888).copy()
