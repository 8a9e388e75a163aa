import QtQuick

// One of drawings/*.svg in the colours given here, as large as fits. Purely decorative: texts beside it say the same.
Item {
    id: drawing

    property color accent: Theme.action
    property color ink: Theme.ink
    property string name
    property color surface: Theme.surface
    property color tint: Theme.tint

    function _digits(colour: color): string {
        return ("" + colour).slice(-6);
    }

    Accessible.ignored: true

    Image {
        anchors.fill: parent
        fillMode: Image.PreserveAspectFit
        source: drawing.name === "" || width < 1 || height < 1 ? "" : "image://drawing/" + [drawing.name, ...[drawing.ink, drawing.accent, drawing.tint, drawing.surface].map(drawing._digits)].join("/")
        sourceSize: Qt.size(Math.round(width), Math.round(height))
    }
}
