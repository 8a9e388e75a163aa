import QtQuick
import Shelfpoint

// How the kiosk stands to central: icon, words and colour together.
Rectangle {
    id: chip

    required property PatronScreen visit
    readonly property bool online: visit.link === "online"
    readonly property color _text: online ? Theme.tintInk : Theme.amberInk

    Accessible.name: words.text
    Accessible.role: Accessible.StaticText
    border.color: online ? Theme.tintLine : Theme.amberLine
    border.width: Theme.border
    color: online ? Theme.tint : Theme.amber
    implicitHeight: row.implicitHeight + 8
    implicitWidth: row.implicitWidth + 2 * Theme.gapSmall
    objectName: "link_state"
    radius: height / 2

    Row {
        id: row

        anchors.centerIn: parent
        spacing: 10

        Icon {
            anchors.verticalCenter: parent.verticalCenter
            height: width
            ink: chip._text
            name: chip.online ? "online" : chip.visit.link === "offline" ? "offline" : "connecting"
            width: Math.round(Theme.label * 1.3)
        }
        InkText {
            id: words

            Accessible.ignored: true
            anchors.verticalCenter: parent.verticalCenter
            color: chip._text
            font.bold: true
            font.pixelSize: Theme.label
            text: chip.online ? qsTr("Online") : chip.visit.link === "offline" ? qsTr("Offline") : qsTr("Connecting")
            wrapMode: Text.NoWrap
        }
    }
}
