import QtQuick
import QtQuick.Layouts
import Shelfpoint

// My loans: until when, what can be renewed, how many more, and what stops borrowing.
PageFrame {
    id: page

    required property PatronScreen visit

    readonly property int _stops: (visit.blockedText === "" ? 0 : 1) + (visit.holdsBlockedText === "" ? 0 : 1)

    share: (Theme.largeText ? [0.29, 0.38, 0.48] : [0.25, 0.31, 0.4])[_stops]
    wideShare: 0.36

    Lead {
        anchors.fill: parent
        drawing: "account"
        leastWidth: page._stops > 0 && Theme.largeText ? Number.POSITIVE_INFINITY : Theme.body * 22
        text: page._stops > 0 && Theme.largeText ? "" : page.visit.greeting
        title: page.visit.countText

        Notice {
            Layout.fillWidth: true
            drawing: "borrow_more"
            objectName: "quota"
            text: page.visit.blockedText === "" ? page.visit.quotaText : ""
        }
        Notice {
            Layout.fillWidth: true
            drawing: "waiting"
            objectName: "holds"
            text: page._stops === 0 ? page.visit.holdsText : ""
        }
        Notice {
            Layout.fillWidth: true
            kind: "stop"
            objectName: "blocked"
            text: page.visit.blockedText
        }
        Notice {
            Layout.fillWidth: true
            kind: "amber"
            objectName: "holds_blocked"
            text: page.visit.holdsBlockedText
        }
    }

    work: ColumnLayout {
        anchors.fill: parent
        spacing: Theme.gap

        BookShelf {
            Layout.fillHeight: true
            Layout.fillWidth: true
            emptyText: qsTr("Nothing on loan. Choose a book you like!")
            visit: page.visit
        }
        RowLayout {
            Layout.fillWidth: true
            spacing: Theme.gap

            PushButton {
                drawing: "borrow_more"
                objectName: "btn_borrow"
                text: qsTr("Borrow books")
                visible: page.visit.blockedText === ""
                onClicked: page.visit.borrow()
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
