import QtQuick
import QtQuick.Layouts
import Shelfpoint

// The last seconds: still there? Any touch stays.
Sheet {
    id: sheet

    required property PatronScreen visit

    contentHeight: column.implicitHeight
    edgeColor: Theme.amberLine

    ColumnLayout {
        id: column

        anchors.fill: parent
        spacing: Theme.gap

        InkText {
            Layout.fillWidth: true
            Accessible.role: Accessible.Heading
            font.bold: true
            font.pixelSize: Theme.title
            horizontalAlignment: Text.AlignHCenter
            text: qsTr("Are you still there?")
        }
        Rectangle {
            Layout.alignment: Qt.AlignHCenter
            Layout.preferredHeight: Theme.target * 1.7
            Layout.preferredWidth: Theme.target * 1.7
            border.color: Theme.amberLine
            border.width: 6
            color: Theme.amber
            radius: width / 2
            visible: sheet.height > 700 || !Theme.lowReach

            InkText {
                Accessible.ignored: true
                anchors.centerIn: parent
                color: Theme.amberInk
                font.bold: true
                font.pixelSize: Theme.title * 1.3
                text: Math.max(0, sheet.visit.countdown)
                wrapMode: Text.NoWrap
            }
        }
        InkText {
            Layout.fillWidth: true
            Accessible.role: Accessible.AlertMessage
            horizontalAlignment: Text.AlignHCenter
            text: sheet.visit.countdownText
        }
        RowLayout {
            Layout.fillWidth: true
            spacing: Theme.gap

            PushButton {
                drawing: "end"
                objectName: "btn_end_now"
                text: qsTr("End")
                onClicked: sheet.visit.end()
            }
            PushButton {
                Layout.fillWidth: true
                focus: true
                main: true
                objectName: "btn_stay"
                text: qsTr("I am still here")
                onClicked: sheet.visit.stay()
            }
        }
    }
}
