import QtQuick
import QtQuick.Templates as T

// A small switch of the screen itself: icon above a short word. On = filled, not coloured alone.
T.Button {
    id: tool

    property string drawing: ""
    property bool on: false
    property bool inLine: false
    readonly property color _text: on ? Theme.actionInk : Theme.ink

    Accessible.checkable: checkable
    Accessible.name: text
    focusPolicy: Qt.StrongFocus
    font.family: Theme.family
    font.pixelSize: Theme.label
    implicitHeight: Math.max(inLine ? Theme.target * 0.8 : Theme.target, column.implicitHeight + 2 * padding)
    implicitWidth: Math.max(Theme.compact ? 112 : 132, column.implicitWidth + 2 * Theme.gapSmall)
    padding: Theme.compact ? 6 : 10

    Keys.onEnterPressed: tool.click()
    Keys.onReturnPressed: tool.click()

    background: Rectangle {
        border.color: tool.on ? Theme.action : Theme.line
        border.width: Theme.border
        color: tool.on ? Theme.action : tool.down ? Theme.tint : Theme.surface
        radius: Theme.radius

        FocusRing {
            visible: tool.visualFocus
        }
    }
    contentItem: Item {
        implicitHeight: column.implicitHeight
        implicitWidth: column.implicitWidth

        Grid {
            id: column

            anchors.centerIn: parent
            columnSpacing: Theme.gapSmall * 0.6
            columns: tool.inLine ? 2 : 1
            horizontalItemAlignment: Grid.AlignHCenter
            rowSpacing: 0
            verticalItemAlignment: Grid.AlignVCenter

            Icon {
                accent: tool._text
                height: width
                ink: tool._text
                name: tool.drawing
                surface: tool.on ? Theme.action : Theme.surface
                width: Math.round(Theme.icon * 0.92)
            }
            Text {
                Accessible.ignored: true
                color: tool._text
                font: tool.font
                lineHeight: 0.92
                text: tool.text
                textFormat: Text.PlainText
            }
        }
    }
}
