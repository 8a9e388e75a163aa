import QtQuick
import QtQuick.Layouts
import Shelfpoint

// For staff: how this kiosk stands, what each device says, try them out, print the page. What is touched is at the bottom.
FocusScope {
    id: page

    required property PatronScreen visit
    readonly property string _slipText: visit.slip === "printing" ? qsTr("Printing")
                                      : visit.slip === "printed" ? qsTr("Printed.")
                                      : visit.slip === "unconfirmed" ? qsTr("Sent; the printer did not say whether it printed.")
                                      : visit.slip === "spooled" ? qsTr("Given to the print queue, which says nothing more.")
                                      : visit.slip === "failed" ? visit.slipReasonText : ""

    ColumnLayout {
        anchors.fill: parent
        anchors.bottomMargin: Theme.gapSmall
        anchors.leftMargin: Theme.edge
        anchors.rightMargin: Theme.edge
        anchors.topMargin: Theme.gapSmall
        spacing: Theme.gapSmall

        InkText {
            Layout.fillWidth: true
            Accessible.role: Accessible.Heading
            font.bold: true
            font.pixelSize: Theme.strong
            objectName: "staff_title"
            text: qsTr("This machine") + "　" + page.visit.staffLogin
        }
        GridLayout {
            Layout.fillHeight: true
            Layout.fillWidth: true
            columnSpacing: Theme.gap
            columns: Theme.wide ? 2 : 1
            rowSpacing: Theme.gap
            uniformCellHeights: Theme.wide
            uniformCellWidths: true

            StaffLines {
                Layout.fillHeight: true
                Layout.fillWidth: true
                Layout.maximumHeight: Theme.wide ? Number.POSITIVE_INFINITY : contentHeight
                Layout.preferredHeight: contentHeight
                lines: page.visit.staffFacts
                name: qsTr("This machine")
                objectName: "staff_facts"
            }
            StaffLines {
                Layout.fillHeight: true
                Layout.fillWidth: true
                Layout.preferredHeight: contentHeight
                lines: page.visit.staffDevices
                name: qsTr("Devices")
                objectName: "staff_devices"
            }
        }
        Notice {
            Layout.fillWidth: true
            drawing: "info"
            text: page.visit.staffHeardText !== "" ? page.visit.staffHeardText : qsTr("Lay a card on a reader or scan a code to try them out.")
        }
        Notice {
            Layout.fillWidth: true
            drawing: "print"
            kind: page.visit.slip === "failed" ? "stop" : page.visit.slip === "printed" || page.visit.slip === "printing" ? "calm" : "amber"
            text: page._slipText
        }
        GridLayout {
            Layout.fillWidth: true
            columnSpacing: Theme.gap
            columns: Theme.wide ? 2 : 1
            rowSpacing: Theme.gapSmall
            uniformCellWidths: true

            PushButton {
                Layout.fillWidth: true
                drawing: "tick"
                objectName: "btn_staff_clock"
                text: qsTr("It is %1: this is right").arg(page.visit.staffClock)
                visible: page.visit.staffClock !== ""
                onClicked: page.visit.confirmClock()
            }
            PushButton {
                Layout.fillWidth: true
                drawing: "print"
                enabled: page.visit.slip !== "printing"
                focus: true
                objectName: "btn_staff_print"
                text: qsTr("Print this page")
                onClicked: page.visit.printStaff()
            }
        }
    }
}
