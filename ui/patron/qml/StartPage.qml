import QtQuick
import QtQuick.Layouts
import Shelfpoint

// Nobody is here: tap a card, or choose.
PageFrame {
    id: page

    required property PatronScreen visit
    readonly property bool _flat: Theme.lowReach && Theme.wide
    readonly property bool _unready: visit.unreadyText !== ""

    share: 0.4

    Lead {
        anchors.fill: parent
        drawing: page._unready ? "return" : page.visit.cardReaderReady ? "tap" : page.visit.scannerReady ? "scan_card" : "desk"
        text: page._unready ? page.visit.unreadyText
            : page.visit.cardReaderReady ? qsTr("or choose what you would like to do")
            : page.visit.scannerReady ? qsTr("The card reader is not working; the barcode of your card works.")
            : qsTr("The card reader and the scanner are not working. The desk will gladly help you.")
        title: page._unready ? qsTr("Only returns for now")
             : page.visit.cardReaderReady ? qsTr("Lay your card here")
             : page.visit.scannerReady ? qsTr("Scan your library card") : qsTr("Please go to the desk")
    }

    work: GridLayout {
        anchors.fill: parent
        columnSpacing: Theme.gap
        columns: page._flat ? 3 : 1
        rowSpacing: Theme.gap
        uniformCellHeights: true
        uniformCellWidths: true

        ActionTile {
            Layout.fillHeight: true
            Layout.fillWidth: true
            about: qsTr("Take books home")
            drawing: "borrow"
            main: !page._unready
            objectName: "btn_borrow"
            text: qsTr("Borrow")
            upright: page._flat
            onClicked: page.visit.borrow()
        }
        ActionTile {
            Layout.fillHeight: true
            Layout.fillWidth: true
            about: qsTr("No card needed")
            drawing: "return"
            main: page._unready
            objectName: "btn_return"
            text: qsTr("Return")
            upright: page._flat
            onClicked: page.visit.bringBack()
        }
        ActionTile {
            Layout.fillHeight: true
            Layout.fillWidth: true
            about: qsTr("Due dates and renewing")
            drawing: "account"
            objectName: "btn_account"
            text: qsTr("My loans")
            upright: page._flat
            onClicked: page.visit.account()
        }
    }
}
