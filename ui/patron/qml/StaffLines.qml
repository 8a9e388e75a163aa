pragma ComponentBehavior: Bound

import QtQuick
import QtQuick.Layouts

// Dense lines for staff: a sign, what it is about, how it stands, and the small print.
ListView {
    id: list

    required property var lines
    property string name: ""

    Accessible.name: name
    Accessible.role: Accessible.List
    boundsBehavior: Flickable.StopAtBounds
    clip: true
    model: lines
    spacing: Theme.compact ? 6 : 10

    delegate: Rectangle {
        id: line

        required property string label
        required property string said
        required property string detail
        required property string mark
        readonly property bool _stop: mark === "stop"
        readonly property bool _watch: mark === "watch"

        Accessible.name: [label, said, detail].filter(part => part !== "").join("，")
        Accessible.role: Accessible.ListItem
        border.color: _stop ? Theme.stopLine : _watch ? Theme.amberLine : Theme.line
        border.width: Theme.border
        color: Theme.surface
        implicitHeight: row.implicitHeight + Theme.gapSmall
        radius: Theme.radius * 0.5
        width: ListView.view.width

        RowLayout {
            id: row

            anchors.left: parent.left
            anchors.leftMargin: Theme.gapSmall
            anchors.right: parent.right
            anchors.rightMargin: Theme.gapSmall
            anchors.verticalCenter: parent.verticalCenter
            spacing: Theme.gapSmall

            Icon {
                Layout.alignment: Qt.AlignTop
                ink: line._stop ? Theme.stopInk : line._watch ? Theme.amberInk : Theme.tintInk
                name: line._stop ? "stop" : line._watch ? "info" : "tick"
            }
            ColumnLayout {
                Layout.fillWidth: true
                spacing: 0

                InkText {
                    Layout.fillWidth: true
                    Accessible.ignored: true
                    color: Theme.inkSoft
                    font.pixelSize: Theme.label
                    text: line.label
                }
                InkText {
                    Layout.fillWidth: true
                    Accessible.ignored: true
                    color: line._stop ? Theme.stopInk : line._watch ? Theme.amberInk : Theme.ink
                    font.bold: true
                    font.pixelSize: Theme.small
                    text: line.said
                }
                InkText {
                    Layout.fillWidth: true
                    Accessible.ignored: true
                    color: Theme.inkSoft
                    font.pixelSize: Theme.label
                    text: line.detail
                    visible: text !== ""
                    wrapMode: Text.WrapAnywhere
                }
            }
        }
    }
}
