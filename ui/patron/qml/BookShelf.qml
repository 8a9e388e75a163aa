pragma ComponentBehavior: Bound

import QtQuick
import Shelfpoint

// The list of books, newest first as the view gives it. What is not seen is one push of a finger away, and a shadow
// at the edge says so.
Item {
    id: shelf

    required property PatronScreen visit
    property string emptyText: ""

    ListView {
        id: list

        Accessible.name: qsTr("Books")
        Accessible.role: Accessible.List
        anchors.fill: parent
        boundsBehavior: Flickable.StopAtBounds
        cacheBuffer: 4000 // rows out of sight exist, so that the keyboard reaches their buttons
        clip: true
        keyNavigationEnabled: true
        model: shelf.visit.books
        objectName: "books"
        spacing: Theme.gapSmall
        visible: count > 0

        add: Transition {
            NumberAnimation {
                duration: Theme.fade
                from: 0
                property: "opacity"
                to: 1
            }
        }
        delegate: BookRow {
            width: ListView.view.width
            onCancelled: hold => shelf.visit.cancelHold(hold)
            onFocused: index => list.positionViewAtIndex(index, ListView.Contain)
            onRenewed: item => shelf.visit.renew(item)
        }
        displaced: Transition {
            NumberAnimation {
                duration: Theme.fade
                easing.type: Easing.OutQuad
                properties: "y"
            }
            NumberAnimation {
                duration: Theme.fade
                property: "opacity"
                to: 1
            }
        }
    }
    Rectangle {
        anchors.bottom: parent.bottom
        gradient: Gradient {
            GradientStop {
                color: Qt.rgba(Theme.paper.r, Theme.paper.g, Theme.paper.b, 0)
                position: 0
            }
            GradientStop {
                color: Theme.paper
                position: 1
            }
        }
        height: Theme.target * 0.6
        visible: !list.atYEnd && list.contentHeight > list.height
        width: parent.width
    }
    Rectangle {
        anchors.fill: parent
        border.color: Theme.line
        border.width: Theme.border
        color: "transparent"
        radius: Theme.radius
        visible: list.count === 0 && shelf.emptyText !== ""

        Column {
            anchors.centerIn: parent
            spacing: Theme.gap
            width: parent.width - 4 * Theme.gap

            Drawing {
                anchors.horizontalCenter: parent.horizontalCenter
                height: Math.min(width * 0.66, shelf.height * 0.5)
                ink: Theme.inkSoft
                name: "empty_shelf"
                visible: shelf.height > 300
                width: Math.min(parent.width * 0.6, 460)
            }
            InkText {
                color: Theme.inkSoft
                horizontalAlignment: Text.AlignHCenter
                text: shelf.emptyText
                width: parent.width
            }
        }
    }
}
