import QtQuick

// What the camera sees, as in a mirror, with a frame that says where to hold the code.
Item {
    id: view

    Accessible.name: qsTr("What the camera sees. Hold the code inside the frame.")
    Accessible.role: Accessible.Graphic
    objectName: "camera_view"

    Rectangle {
        id: pane

        anchors.centerIn: parent
        border.color: Theme.line
        border.width: Theme.border
        clip: true
        color: Theme.tint
        height: width * 9 / 16
        width: Math.min(view.width, view.height * 16 / 9)

        Image {
            property int number: 0

            anchors.fill: parent
            anchors.margins: Theme.border
            asynchronous: false
            cache: false
            fillMode: Image.PreserveAspectCrop
            mirror: true
            source: "image://camera/" + number

            Timer {
                interval: 100
                repeat: true
                running: view.visible
                onTriggered: parent.number += 1
            }
        }
        Rectangle {
            anchors.centerIn: parent
            border.color: "#23262f"
            border.width: Theme.border * 4
            color: "transparent"
            height: parent.height * 0.5
            radius: Theme.radius * 0.6
            width: parent.width * 0.7

            Rectangle {
                anchors.fill: parent
                anchors.margins: Theme.border
                border.color: "#ffffff"
                border.width: Theme.border * 2
                color: "transparent"
                radius: parent.radius
            }
        }
    }
}
