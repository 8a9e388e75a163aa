import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T

// A button with words, and an icon before them. The one that leads on is `main`; there is one of these at a time.
T.Button {
    id: button

    property bool main: false
    property string drawing: ""
    readonly property color _ground: !enabled ? Theme.paper
                                   : main ? (down ? Theme.actionPressed : Theme.action)
                                   : (down ? Theme.tint : Theme.surface)
    readonly property color _text: !enabled ? Theme.disabled : main ? Theme.actionInk : down ? Theme.tintInk : Theme.action

    Accessible.name: text
    Layout.minimumWidth: Theme.target
    focusPolicy: Qt.StrongFocus
    font.bold: true
    font.family: Theme.family
    font.pixelSize: main ? Theme.strong : Theme.body
    implicitHeight: Math.max(main ? Theme.target * 1.15 : Theme.target, words.implicitHeight + 2 * Theme.gapSmall)
    implicitWidth: contentItem.implicitWidth + leftPadding + rightPadding
    leftPadding: Theme.gap
    rightPadding: Theme.gap

    Keys.onEnterPressed: button.click()
    Keys.onReturnPressed: button.click()

    background: Rectangle {
        border.color: button.enabled ? Theme.action : Theme.disabledLine
        border.width: Theme.border
        color: button._ground
        radius: Theme.radius

        FocusRing {
            visible: button.visualFocus
        }
    }
    contentItem: RowLayout {
        spacing: Theme.gapSmall

        Item {
            Layout.fillWidth: true
        }
        Icon {
            accent: button._text
            ink: button._text
            name: button.drawing
            surface: button._ground
            tint: button._ground
            visible: button.drawing !== ""
        }
        Text {
            id: words

            Layout.fillWidth: true
            Layout.maximumWidth: Math.ceil(implicitWidth)
            Accessible.ignored: true
            color: button._text
            font: button.font
            horizontalAlignment: Text.AlignHCenter
            lineHeight: 0.9
            text: button.text
            textFormat: Text.PlainText
            wrapMode: Text.Wrap
        }
        Item {
            Layout.fillWidth: true
        }
    }
}
