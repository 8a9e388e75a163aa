import QtQuick
import Shelfpoint

// Nothing can be done here now: what happened, what to do, who helps.
PageFrame {
    id: page

    required property PatronScreen visit

    share: 0.6
    wideShare: 0.5

    Lead {
        anchors.fill: parent
        drawing: page.visit.starting ? "tap" : "out_of_service"
        title: page.visit.starting ? qsTr("One moment, please") : qsTr("This machine is resting")
        text: page.visit.outText
    }

    work: Lead {
        anchors.fill: parent
        drawing: "desk"
        title: page.visit.starting ? "" : qsTr("The desk will help you")
        visible: !page.visit.starting
    }
}
