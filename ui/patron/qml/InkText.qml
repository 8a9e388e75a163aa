import QtQuick

// Text in ink. Wraps; never shows mark-up.
Text {
    color: Theme.ink
    font.family: Theme.family
    font.pixelSize: Theme.body
    lineHeight: font.pixelSize >= Theme.title ? 0.88 : 0.98
    textFormat: Text.PlainText
    wrapMode: Text.Wrap
    Accessible.ignored: text === ""
}
