import QtQuick
import QtQuick.Layouts

// One line under the header while the kiosk is offline: what still works and what it means.
Rectangle {
    id: banner

    property string text: ""

    color: Theme.amber
    implicitHeight: row.implicitHeight + 2 * Theme.gapSmall
    objectName: "offline_banner"

    Rectangle {
        anchors.bottom: parent.bottom
        color: Theme.amberLine
        height: Theme.border
        width: parent.width
    }
    RowLayout {
        id: row

        anchors.left: parent.left
        anchors.leftMargin: Theme.edge
        anchors.right: parent.right
        anchors.rightMargin: Theme.edge
        anchors.verticalCenter: parent.verticalCenter
        spacing: Theme.gapSmall

        Icon {
            ink: Theme.amberInk
            name: "offline"
        }
        InkText {
            Layout.fillWidth: true
            color: Theme.amberInk
            font.pixelSize: Theme.small
            text: banner.text
        }
    }
}
