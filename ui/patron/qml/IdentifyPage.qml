import QtQuick
import QtQuick.Layouts
import Shelfpoint

// Who is here? A card on the reader, or the barcode of one.
PageFrame {
    id: page

    required property PatronScreen visit
    readonly property bool _unready: visit.unreadyText !== ""

    share: 0.62
    wideShare: 0.56

    Lead {
        anchors.fill: parent
        camera: page.visit.cameraReady && !page._unready
        drawingToo: page.visit.cardReaderReady
        drawing: page._unready ? "desk" : page.visit.cardReaderReady ? "tap" : page.visit.scannerReady ? "scan_card" : "desk"
        text: page._unready ? page.visit.unreadyText
            : page.visit.nextTask === "account" ? qsTr("Then you will see your loans.") : qsTr("Then scan your books.")
        title: page._unready ? qsTr("Only returns for now")
             : page.visit.cardReaderReady ? qsTr("Lay your card here")
             : page.visit.scannerReady ? qsTr("Scan your library card") : qsTr("Please go to the desk")
    }

    work: ColumnLayout {
        anchors.fill: parent
        spacing: Theme.gap

        Item {
            Layout.fillHeight: true
        }
        Notice {
            Layout.fillWidth: true
            drawing: "stop"
            kind: "amber"
            text: page.visit.cardReaderReady ? "" : qsTr("The card reader is not working just now.")
        }
        Notice {
            Layout.fillWidth: true
            drawing: "card"
            text: page.visit.cardReaderReady && !page._unready ? qsTr("EasyCard, iPASS or chip library card: leave it until you hear the sound.") : ""
        }
        Notice {
            Layout.fillWidth: true
            drawing: "barcode"
            text: page._unready ? ""
                : page.visit.cameraReady ? qsTr("Or hold the barcode of your card or telephone before the camera.")
                : page.visit.scannerReady ? qsTr("Or hold the barcode of your card or telephone under the scanner.") : ""
        }
        Item {
            Layout.fillHeight: true
        }
        PushButton {
            Layout.fillWidth: true
            drawing: "back"
            objectName: "btn_back"
            text: qsTr("Back")
            onClicked: page.visit.back()
        }
    }
}
