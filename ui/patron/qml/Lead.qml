import QtQuick
import QtQuick.Layouts

// A drawing and what it means: side by side where the place is low, one above the other where it is high. What the camera sees
// stands in the drawing's place, or beside it where both ways are open.
GridLayout {
    id: lead

    property string drawing: ""
    property bool camera: false
    property bool drawingToo: false
    property string title: ""
    property string text: ""
    property real drawingShare: 0.62
    default property alias extra: texts.data
    property bool low: width > height * 1.8
    readonly property bool _roomy: height - texts.implicitHeight > (Theme.compact ? 110 : 150)

    property real leastWidth: Theme.body * 22
    readonly property bool _drawn: drawing !== "" && (low ? width > leastWidth : _roomy)

    readonly property bool _both: camera && drawingToo

    columnSpacing: Theme.gap * 1.5
    columns: low ? 2 : 1
    rowSpacing: Theme.gap

    GridLayout {
        Layout.alignment: lead.low ? Qt.AlignVCenter : Qt.AlignBottom
        Layout.fillHeight: true
        Layout.fillWidth: !lead.low
        Layout.maximumHeight: lead.low ? Number.POSITIVE_INFINITY : Math.min(lead.width * 0.72, lead.height * lead.drawingShare)
        Layout.preferredWidth: lead.low ? Math.min(lead.width * (lead._both ? 0.5 : 0.36), lead.height * (lead._both ? 3 : 1.5)) : -1
        columnSpacing: Theme.gap
        columns: 2
        visible: lead._drawn

        Drawing {
            Layout.fillHeight: true
            Layout.fillWidth: true
            Layout.preferredWidth: 1
            name: lead.drawing
            objectName: "lead_drawing"
            visible: lead._drawn && (!lead.camera || lead.drawingToo)
        }
        Loader {
            Layout.fillHeight: true
            Layout.fillWidth: true
            Layout.preferredWidth: 1
            active: lead._drawn && lead.camera
            sourceComponent: CameraView {}
            visible: active
        }
    }
    ColumnLayout {
        id: texts

        Layout.alignment: lead.low || !lead._drawn ? Qt.AlignVCenter : Qt.AlignTop
        Layout.fillWidth: true
        spacing: Theme.gapSmall

        InkText {
            Layout.fillWidth: true
            Accessible.role: Accessible.Heading
            font.bold: true
            font.pixelSize: Theme.title
            horizontalAlignment: lead.low ? Text.AlignLeft : Text.AlignHCenter
            objectName: "title"
            text: lead.title
        }
        InkText {
            Layout.fillWidth: true
            color: Theme.inkSoft
            horizontalAlignment: lead.low ? Text.AlignLeft : Text.AlignHCenter
            objectName: "subtitle"
            text: lead.text
            visible: text !== ""
        }
    }
}
