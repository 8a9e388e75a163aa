import QtQuick
import QtQuick.Layouts
import Shelfpoint

// What became of the slip on paper: coming, take it, look for it, or not printed and what then.
Item {
    id: outcome

    required property PatronScreen visit
    readonly property string slip: visit.slip
    readonly property bool printing: slip === "printing"
    readonly property bool flat: width > height * 2.2
    readonly property bool doubtful: slip === "failed" || slip === "unconfirmed" || slip === "spooled"

    Lead {
        height: outcome.flat ? parent.height : buttons.y - Theme.gap
        leastWidth: outcome.flat && Theme.largeText ? Number.POSITIVE_INFINITY : Theme.body * 22
        low: outcome.flat || width > height * 1.8
        width: outcome.flat ? parent.width * 0.58 : parent.width
        drawing: outcome.slip === "failed" ? "no_paper" : outcome.printing ? "printing" : "take_slip"
        text: outcome.slip === "failed" ? outcome.visit.slipReasonText
            : outcome.slip === "unconfirmed" ? qsTr("The printer did not say whether it printed. Look below it first.")
            : outcome.slip === "spooled" ? qsTr("The printer says nothing to this machine. If no slip comes, print it again or take the QR code.") : ""
        title: outcome.printing ? qsTr("Printing")
             : outcome.slip === "printed" ? qsTr("Please take your slip")
             : outcome.slip === "unconfirmed" ? qsTr("Is your slip there?")
             : outcome.slip === "spooled" ? qsTr("Your slip is on its way")
             : qsTr("The slip was not printed")

        Notice {
            Layout.fillWidth: true
            drawing: "tick"
            text: outcome.doubtful && !outcome.flat ? qsTr("Your books are recorded in any case.") : ""
        }
    }
    ColumnLayout {
        id: buttons

        spacing: Theme.gap
        visible: !outcome.printing
        width: outcome.flat ? parent.width * 0.4 : parent.width
        x: parent.width - width
        y: outcome.flat ? (parent.height - height) / 2 : parent.height - height

        RowLayout {
            Layout.fillWidth: true
            spacing: Theme.gap

            PushButton {
                Layout.fillWidth: true
                drawing: "print"
                objectName: "btn_print_again"
                text: qsTr("Print again")
                onClicked: outcome.visit.printAgain()
            }
            PushButton {
                Layout.fillWidth: true
                drawing: "qr"
                objectName: "btn_slip_qr"
                text: qsTr("QR code")
                visible: outcome.doubtful
                onClicked: outcome.visit.showQr()
            }
        }
        PushButton {
            Layout.fillWidth: true
            drawing: "tick"
            main: true
            objectName: "btn_leave"
            text: qsTr("Finished")
            onClicked: outcome.visit.end()
        }
    }
}
