import QtQuick

// A QR code of `text`, black on white with its quiet margin, in whole pixels so that a telephone reads it.
Rectangle {
    id: qr

    readonly property int _modules: code.implicitWidth
    readonly property int _quiet: 4 // modules of empty margin on each side (ISO/IEC 18004)
    readonly property bool readable: _modules > 1 // false when the text is empty or too long for a QR code
    property string text

    color: "#ffffff"

    Image {
        id: code

        anchors.centerIn: parent
        cache: false
        height: width
        smooth: false
        source: qr.text === "" ? "" : "image://qr/" + encodeURIComponent(qr.text)
        visible: qr.readable
        width: qr._modules * Math.max(1, Math.floor(Math.min(qr.width, qr.height) / (qr._modules + 2 * qr._quiet)))
    }
}
