pragma ComponentBehavior: Bound

import QtQuick
import QtQuick.Layouts
import Shelfpoint

// Header: whose library, what time, connected or not, and the patron's own choices (unless these are in low reach).
// Staff press it for two seconds to come to their page.
Rectangle {
    id: bar

    required property PatronScreen visit
    readonly property bool _stacked: !Theme.wide

    color: Theme.surface
    implicitHeight: grid.implicitHeight + 2 * Theme.gapSmall

    Rectangle {
        anchors.bottom: parent.bottom
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

        RowLayout {
            Layout.fillWidth: true
            objectName: "header"
            spacing: Theme.gapSmall

            TapHandler {
                gesturePolicy: TapHandler.WithinBounds
                longPressThreshold: Theme.staffPress
                onLongPressed: bar.visit.staffDoor()
            }
            Icon {
                Layout.preferredHeight: Theme.target * 0.8
                Layout.preferredWidth: Theme.target * 0.8
                name: "library"
                surface: Theme.actionInk
            }
            ColumnLayout {
                Layout.fillWidth: true
                spacing: 6

                InkText {
                    Layout.fillWidth: true
                    font.bold: true
                    font.pixelSize: Theme.small
                    maximumLineCount: 2
                    text: bar.visit.branch === "" ? bar.visit.library : bar.visit.library + "　" + bar.visit.branch
                }
                LinkChip {
                    visit: bar.visit
                }
            }
            InkText {
                font.bold: true
                font.pixelSize: Theme.strong
                objectName: "clock"
                text: bar.visit.clock
                visible: text !== ""
                wrapMode: Text.NoWrap
            }
        }
        Loader {
            Layout.fillWidth: bar._stacked
            active: !Theme.lowReach
            visible: active

            sourceComponent: Tools {
                inLine: bar._stacked
                visit: bar.visit
            }
        }
    }
}
