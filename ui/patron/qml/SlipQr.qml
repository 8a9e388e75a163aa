import QtQuick
import QtQuick.Layouts
import Shelfpoint

// The slip as a QR code, as large as the place allows.
Item {
    id: page

    required property PatronScreen visit
    readonly property bool flat: width > height * 2.2
    readonly property real _side: flat && picture.readable ? Math.min(width * 0.4, height) + Theme.gap : 0

    InkText {
        id: words

        Accessible.role: Accessible.Heading
        font.bold: true
        font.pixelSize: Theme.strong
        horizontalAlignment: Text.AlignHCenter
        text: picture.readable ? qsTr("Take a picture with your telephone")
                               : qsTr("Too many books for a QR code. Please print, or write down the dates.")
        width: parent.width - x
        x: page._side
        y: page.flat ? Math.max(0, (buttons.y - height) / 2) : 0
    }
    Item {
        id: place

        height: page.flat ? parent.height : buttons.y - y - Theme.gap
        width: page.flat ? Math.max(0, page._side - Theme.gap) : parent.width
        y: page.flat ? 0 : words.height + Theme.gap

        Rectangle {
            anchors.centerIn: parent
            border.color: Theme.line
            border.width: Theme.border
            color: "#ffffff"
            height: width
            radius: Theme.radius * 0.6
            visible: picture.readable
            width: Math.min(parent.width, parent.height)

            QrPicture {
                id: picture

                Accessible.name: qsTr("QR code of your slip")
                Accessible.role: Accessible.Graphic
                anchors.fill: parent
                anchors.margins: 4
                objectName: "qr"
                text: page.visit.slipText
            }
        }
    }
    RowLayout {
        id: buttons

        anchors.bottom: parent.bottom
        anchors.left: parent.left
        anchors.leftMargin: page._side
        anchors.right: parent.right
        spacing: Theme.gap

        PushButton {
            drawing: "print"
            objectName: "btn_slip_print"
            text: qsTr("Print")
            visible: page.visit.printerReady
            onClicked: page.visit.printSlip()
        }
        PushButton {
            Layout.fillWidth: true
            drawing: "tick"
            main: true
            objectName: "btn_leave"
            text: qsTr("Finished")
            onClicked: page.visit.end()
        }
    }
}
