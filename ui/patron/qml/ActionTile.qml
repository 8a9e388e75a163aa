import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T

// One of the few big things to choose from: a drawing, its name, and a line about it.
T.Button {
    id: tile

    property string drawing: ""
    property string about: ""
    property bool upright: false
    property bool main: false
    property bool plain: false
    readonly property color _ground: !enabled ? Theme.paper : down ? Theme.tint : main ? Theme.action : Theme.surface
    readonly property bool _filled: enabled && main && !down
    readonly property color _text: !enabled ? Theme.disabled : _filled ? Theme.actionInk : Theme.ink
    readonly property bool _small: upright && height < (Theme.compact ? 190 : 250)

    Accessible.description: about
    Accessible.name: text
    Layout.minimumHeight: Theme.target
    Layout.minimumWidth: Theme.target
    focusPolicy: Qt.StrongFocus
    implicitHeight: grid.implicitHeight + 2 * padding
    implicitWidth: grid.implicitWidth + 2 * padding
    padding: Theme.gapSmall

    Keys.onEnterPressed: tile.click()
    Keys.onReturnPressed: tile.click()

    background: Rectangle {
        border.color: tile.enabled ? Theme.action : Theme.disabledLine
        border.width: Theme.highContrast ? 4 : 3
        color: tile._ground
        radius: Theme.radius * 1.2

        FocusRing {
            around: Theme.radius * 1.2
            visible: tile.visualFocus
        }
    }
    contentItem: GridLayout {
        id: grid

        columnSpacing: Theme.gap * 1.4
        columns: tile.upright ? 1 : 2
        rowSpacing: Theme.gapSmall * 0.6

        Drawing {
            Layout.alignment: tile.upright ? Qt.AlignBottom : Qt.AlignVCenter
            Layout.fillHeight: true
            Layout.fillWidth: tile.upright
            Layout.leftMargin: tile.upright ? 0 : Theme.gap
            Layout.maximumHeight: tile.plain ? Theme.icon * 2.2 : tile.upright ? tile.height * 0.5 : 220
            Layout.preferredWidth: tile.upright ? -1 : Math.min(tile.width * 0.3, tile.height * 1.2, 300)
            accent: tile._filled ? Theme.actionInk : tile.enabled ? Theme.action : Theme.disabled
            ink: tile._text
            name: tile.drawing
            surface: tile._ground
            tint: tile._filled ? Theme.actionPressed : tile.enabled ? Theme.tint : Theme.line
        }
        ColumnLayout {
            Layout.alignment: tile.upright ? Qt.AlignTop : Qt.AlignVCenter
            Layout.fillWidth: true
            spacing: 2

            Text {
                Layout.fillWidth: true
                Accessible.ignored: true
                color: tile._text
                font.bold: true
                font.family: Theme.family
                font.pixelSize: tile.upright ? Theme.strong : Theme.tile
                horizontalAlignment: tile.upright ? Text.AlignHCenter : Text.AlignLeft
                lineHeight: 0.9
                text: tile.text
                textFormat: Text.PlainText
                wrapMode: Text.Wrap
            }
            Text {
                Layout.fillWidth: true
                Accessible.ignored: true
                color: tile._filled ? Theme.actionInk : tile.enabled ? Theme.inkSoft : Theme.disabled
                font.family: Theme.family
                font.pixelSize: Theme.small
                lineHeight: 0.98
                horizontalAlignment: tile.upright ? Text.AlignHCenter : Text.AlignLeft
                text: tile.about
                textFormat: Text.PlainText
                visible: text !== "" && !tile._small
                wrapMode: Text.Wrap
            }
        }
    }
}
