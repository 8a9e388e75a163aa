import QtQuick
import QtQuick.Layouts
import Shelfpoint

// Something is said to the patron: a stop (red) or a hint (amber), about which book, why and what next.
Sheet {
    id: sheet

    required property PatronScreen visit
    readonly property bool stops: visit.messageStops

    contentHeight: column.implicitHeight
    edgeColor: stops ? Theme.stopLine : Theme.amberLine

    ColumnLayout {
        id: column

        anchors.fill: parent
        spacing: Theme.gap

        RowLayout {
            Layout.fillWidth: true
            spacing: Theme.gap

            Rectangle {
                Layout.preferredHeight: Theme.icon * 2
                Layout.preferredWidth: Theme.icon * 2
                border.color: sheet.edgeColor
                border.width: 4
                color: sheet.stops ? Theme.stop : Theme.amber
                radius: width / 2

                Icon {
                    anchors.centerIn: parent
                    height: width
                    ink: sheet.stops ? Theme.stopInk : Theme.amberInk
                    name: "stop"
                    width: parent.width * 0.62
                }
            }
            InkText {
                Layout.fillWidth: true
                Accessible.role: Accessible.Heading
                color: sheet.stops ? Theme.stopInk : Theme.amberInk
                font.bold: true
                font.pixelSize: Theme.title
                text: sheet.stops ? qsTr("That did not work") : qsTr("Please note")
            }
        }
        InkText {
            Layout.fillWidth: true
            elide: Text.ElideRight
            font.bold: true
            maximumLineCount: 2
            objectName: "message_title"
            text: sheet.visit.messageTitle
            visible: text !== ""
        }
        InkText {
            Layout.fillWidth: true
            Accessible.role: Accessible.AlertMessage
            font.pixelSize: Theme.strong
            lineHeight: 1.05
            objectName: "message_text"
            text: sheet.visit.messageText
        }
        Item {
            Layout.fillHeight: true
        }
        PushButton {
            Layout.fillWidth: true
            drawing: "waiting"
            objectName: "btn_reserve"
            text: qsTr("Reserve it for me")
            visible: sheet.visit.messageReserve !== ""
            onClicked: sheet.visit.reserve(sheet.visit.messageReserve)
        }
        PushButton {
            Layout.fillWidth: true
            focus: true
            main: true
            objectName: "btn_dismiss"
            text: qsTr("All right")
            onClicked: sheet.visit.dismiss()
        }
    }
}
