pragma ComponentBehavior: Bound

import QtQuick
import QtQuick.Layouts
import Shelfpoint

// Footer: help, the countdown, end. In low reach the patron's own choices stand here too.
Rectangle {
    id: bar

    required property PatronScreen visit
    readonly property bool inVisit: visit.phase !== "start" && visit.phase !== "out_of_service"
    readonly property bool _stacked: Theme.lowReach && !Theme.wide

    clip: true
    color: Theme.surface
    implicitHeight: visit.phase === "out_of_service" && !Theme.lowReach ? 0 : grid.implicitHeight + 2 * Theme.gapSmall

    Rectangle {
        color: Theme.line
        height: Theme.border
        width: parent.width
    }
    GridLayout {
        id: grid

        anchors.left: parent.left
        anchors.leftMargin: Theme.edge
        anchors.right: parent.right
        anchors.rightMargin: Theme.edge
        anchors.verticalCenter: parent.verticalCenter
        columnSpacing: Theme.gap
        columns: bar._stacked ? 1 : 2
        rowSpacing: Theme.gapSmall

        Loader {
            Layout.fillWidth: bar._stacked
            active: Theme.lowReach
            visible: active

            sourceComponent: Tools {
                inLine: bar._stacked
                visit: bar.visit
            }
        }
        RowLayout {
            Layout.fillWidth: true
            spacing: Theme.gapSmall

            PushButton {
                drawing: "help"
                objectName: "btn_help"
                text: qsTr("Help")
                visible: bar.visit.phase !== "out_of_service" && bar.visit.phase !== "staff" && bar.visit.phase !== "staff_login"
                onClicked: bar.visit.help()
            }
            InkText {
                Layout.fillWidth: true
                color: Theme.inkSoft
                font.pixelSize: Theme.small
                horizontalAlignment: Text.AlignHCenter
                objectName: "countdown"
                text: bar.visit.countdownText
            }
            PushButton {
                drawing: "end"
                objectName: "btn_end"
                text: qsTr("End")
                visible: bar.inVisit
                onClicked: bar.visit.end()
            }
        }
    }
}
