pragma ComponentBehavior: Bound

import QtQuick
import Shelfpoint

// Done: what was done and until when, then a slip on paper, as a QR code, or none.
PageFrame {
    id: page

    required property PatronScreen visit
    readonly property bool choosing: visit.slip === "choose" || visit.slip === "none"

    share: choosing ? 0.63 : visit.slip === "qr" ? 0.3 : 0.44
    wideShare: 0.48

    Lead {
        id: praise

        drawing: "all_done"
        height: Theme.compact ? 122 : 200
        leastWidth: 0
        low: true
        text: page.visit.countText
        title: qsTr("All done")
        width: parent.width
    }
    Notice {
        id: provisional

        anchors.top: praise.bottom
        anchors.topMargin: Theme.gap
        height: visible ? implicitHeight : 0
        kind: "amber"
        objectName: "provisional"
        text: page.visit.provisional ? qsTr("Not yet confirmed: we were offline. You may take the books.") : ""
        width: parent.width
    }
    BookShelf {
        anchors.bottom: parent.bottom
        anchors.left: parent.left
        anchors.right: parent.right
        anchors.top: provisional.bottom
        anchors.topMargin: provisional.visible ? Theme.gap : 0
        visible: height > Theme.target * 0.8
        visit: page.visit
    }

    work: Loader {
        anchors.fill: parent
        sourceComponent: page.choosing ? choice : page.visit.slip === "qr" ? qr : state

        Component {
            id: choice

            SlipChoice {
                visit: page.visit
            }
        }
        Component {
            id: qr

            SlipQr {
                visit: page.visit
            }
        }
        Component {
            id: state

            SlipState {
                visit: page.visit
            }
        }
    }
}
