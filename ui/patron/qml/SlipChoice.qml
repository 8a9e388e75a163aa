import QtQuick
import QtQuick.Layouts
import Shelfpoint

// A slip? Three ways.
Item {
    id: choice

    required property PatronScreen visit
    readonly property bool _high: height > width * 0.8

    InkText {
        id: question

        Accessible.role: Accessible.Heading
        font.bold: true
        font.pixelSize: Theme.strong
        horizontalAlignment: Text.AlignHCenter
        text: qsTr("Would you like a slip with the dates?")
        width: parent.width
    }
    GridLayout {
        anchors.bottom: parent.bottom
        anchors.left: parent.left
        anchors.right: parent.right
        anchors.top: question.bottom
        anchors.topMargin: Theme.gap
        columnSpacing: Theme.gap
        columns: choice._high ? 1 : 3
        rowSpacing: Theme.gap
        uniformCellHeights: true
        uniformCellWidths: true

        ActionTile {
            Layout.fillHeight: true
            Layout.fillWidth: true
            about: choice.visit.printerReady ? qsTr("On paper") : qsTr("The printer is not working")
            drawing: "print"
            enabled: choice.visit.printerReady
            main: true
            objectName: "btn_slip_print"
            plain: true
            text: qsTr("Print")
            upright: !choice._high
            onClicked: choice.visit.printSlip()
        }
        ActionTile {
            Layout.fillHeight: true
            Layout.fillWidth: true
            about: qsTr("Onto your telephone")
            drawing: "qr"
            objectName: "btn_slip_qr"
            plain: true
            text: qsTr("QR code")
            upright: !choice._high
            onClicked: choice.visit.showQr()
        }
        ActionTile {
            Layout.fillHeight: true
            Layout.fillWidth: true
            about: qsTr("Saves paper")
            drawing: "no_slip"
            objectName: "btn_slip_none"
            plain: true
            text: qsTr("No slip")
            upright: !choice._high
            onClicked: choice.visit.noSlip()
        }
    }
}
