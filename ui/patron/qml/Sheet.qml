import QtQuick

// A card over the stage; nothing behind it can be touched. In low reach it stands at the bottom, so
// that its buttons, which come last in it, are in the lower half.
FocusScope {
    id: sheet

    default property alias content: inner.data
    property real contentHeight: 0
    property color edgeColor: Theme.line

    Rectangle {
        anchors.fill: parent
        color: Theme.veil
    }
    MouseArea {
        anchors.fill: parent
    }
    Rectangle {
        id: card

        border.color: sheet.edgeColor
        border.width: Theme.highContrast ? 4 : 3
        color: Theme.surface
        height: Math.min(parent.height - 2 * Theme.gapSmall, sheet.contentHeight + 2 * Theme.edge)
        radius: Theme.radius * 1.4
        width: Math.min(parent.width - 2 * Theme.edge, Theme.wide ? Theme.width * 0.66 : parent.width)
        x: (parent.width - width) / 2
        y: Theme.lowReach ? parent.height - height - Theme.gapSmall : (parent.height - height) / 2

        Item {
            id: inner

            anchors.fill: parent
            anchors.margins: Theme.edge
        }
    }
}
