import QtQuick
import QtQuick.Layouts

// A few words in a box: calm (teal), waiting (amber) or stopping (red), each with its own sign.
Rectangle {
    id: notice

    property string kind: "calm"
    property string text: ""
    property string drawing: kind === "stop" ? "stop" : kind === "amber" ? "clock" : "info"
    readonly property color _text: kind === "stop" ? Theme.stopInk : kind === "amber" ? Theme.amberInk : Theme.tintInk

    border.color: kind === "stop" ? Theme.stopLine : kind === "amber" ? Theme.amberLine : Theme.tintLine
    border.width: Theme.border
    color: kind === "stop" ? Theme.stop : kind === "amber" ? Theme.amber : Theme.tintSoft
    implicitHeight: row.implicitHeight + 2 * Theme.gapSmall
    radius: Theme.radius * 0.7
    visible: text !== ""

    RowLayout {
        id: row

        anchors.left: parent.left
        anchors.leftMargin: Theme.gapSmall
        anchors.right: parent.right
        anchors.rightMargin: Theme.gapSmall
        anchors.verticalCenter: parent.verticalCenter
        spacing: Theme.gapSmall

        Icon {
            ink: notice._text
            name: notice.drawing
        }
        InkText {
            Layout.fillWidth: true
            color: notice._text
            font.pixelSize: Theme.notice
            text: notice.text
        }
    }
}
