import QtQuick

// Shown around whatever the keyboard is on.
Rectangle {
    id: ring

    property real around: Theme.radius

    anchors.fill: parent
    anchors.margins: -8
    radius: ring.around + 8
    color: "transparent"
    border.color: Theme.focus
    border.width: 5
}
