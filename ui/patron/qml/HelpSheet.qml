import QtQuick
import QtQuick.Layouts
import Shelfpoint

// How this works, in three steps, and who helps.
Sheet {
    id: sheet

    required property PatronScreen visit
    readonly property var steps: visit.phase === "return" ? [qsTr("Hold the barcode on the book under the scanner."), qsTr("Wait until the book appears with a tick."), qsTr("Put the book where the screen says, then press 'Done'.")]
                               : visit.phase === "account" ? [qsTr("Each line is one book, with the day it is due."), qsTr("Press 'Renew' to keep a book longer."), qsTr("Red lines are overdue: please return these first.")]
                               : visit.phase === "done" ? [qsTr("Choose paper, a QR code, or no slip."), qsTr("Take your slip and your card with you."), qsTr("Nothing printed? Your books are recorded in any case.")]
                               : [qsTr("Lay your card on the reader until you hear the sound."), qsTr("Scan the barcode on each book, one after the other."), qsTr("Press 'Done' and take a slip if you like.")]

    contentHeight: column.implicitHeight

    ColumnLayout {
        id: column

        anchors.fill: parent
        spacing: Theme.gap

        InkText {
            Layout.fillWidth: true
            Accessible.role: Accessible.Heading
            font.bold: true
            font.pixelSize: Theme.title
            text: sheet.visit.phase === "return" ? qsTr("How to return")
                : sheet.visit.phase === "account" ? qsTr("Your loans")
                : sheet.visit.phase === "done" ? qsTr("Your slip") : qsTr("How to borrow")
        }
        Repeater {
            model: sheet.steps

            RowLayout {
                id: step

                required property int index
                required property string modelData

                Layout.fillWidth: true
                spacing: Theme.gap

                Rectangle {
                    Layout.alignment: Qt.AlignTop
                    Layout.preferredHeight: Theme.icon * 1.4
                    Layout.preferredWidth: Theme.icon * 1.4
                    color: Theme.action
                    radius: width / 2

                    InkText {
                        anchors.centerIn: parent
                        color: Theme.actionInk
                        font.bold: true
                        text: step.index + 1
                        wrapMode: Text.NoWrap
                    }
                }
                InkText {
                    Layout.alignment: Qt.AlignVCenter
                    Layout.fillWidth: true
                    text: step.modelData
                }
            }
        }
        InkText {
            Layout.fillWidth: true
            color: Theme.inkSoft
            font.pixelSize: Theme.small
            text: qsTr("The desk will gladly help you.")
        }
        Item {
            Layout.fillHeight: true
        }
        PushButton {
            Layout.fillWidth: true
            focus: true
            main: true
            objectName: "btn_help_close"
            text: qsTr("Close")
            onClicked: sheet.visit.help()
        }
    }
}
