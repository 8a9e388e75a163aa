import QtQuick
import QtQuick.Layouts
import Shelfpoint

// Taking books back: scan, see it appear, put it where the sentence says.
PageFrame {
    id: page

    required property PatronScreen visit

    share: 0.3

    Lead {
        anchors.fill: parent
        camera: page.visit.cameraReady
        drawing: page.visit.scannerReady ? "scan" : "desk"
        text: page.visit.scannerReady ? qsTr("No card is needed.") : ""
        title: page.visit.scannerReady ? qsTr("Scan the books you bring back") : qsTr("The scanner is not working. Please go to the desk.")
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
                drawing: "back"
                objectName: "btn_back"
                text: qsTr("Back")
                visible: page.visit.bookCount === 0
                onClicked: page.visit.back()
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
