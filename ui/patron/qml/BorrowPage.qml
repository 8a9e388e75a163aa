import QtQuick
import QtQuick.Layouts
import Shelfpoint

// The basket: scan, see it appear, done.
PageFrame {
    id: page

    required property PatronScreen visit

    share: 0.3

    Lead {
        anchors.fill: parent
        camera: page.visit.cameraReady
        drawing: page.visit.scannerReady ? "scan" : "desk"
        text: page.visit.greeting
        title: page.visit.scannerReady ? qsTr("Scan the barcode on the book") : qsTr("The scanner is not working. Please go to the desk.")

        Notice {
            Layout.fillWidth: true
            drawing: "borrow_more"
            objectName: "quota"
            text: page.visit.quotaText
        }
    }

    work: ColumnLayout {
        anchors.fill: parent
        spacing: Theme.gap

        BookShelf {
            Layout.fillHeight: true
            Layout.fillWidth: true
            emptyText: qsTr("Books you scan appear here.")
            visit: page.visit
        }
        InkText {
            Layout.fillWidth: true
            font.bold: true
            horizontalAlignment: Text.AlignHCenter
            objectName: "count"
            text: page.visit.countText
            visible: text !== "" && !(Theme.compact && Theme.lowReach)
        }
        RowLayout {
            Layout.fillWidth: true
            spacing: Theme.gap

            PushButton {
                drawing: "clock"
                objectName: "btn_account"
                text: qsTr("My loans")
                onClicked: page.visit.account()
            }
            PushButton {
                Layout.fillWidth: true
                drawing: "tick"
                main: true
                objectName: "btn_finish"
                text: qsTr("Done")
                onClicked: page.visit.finish()
            }
        }
    }
}
