import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T

// A line of text to type, under what it is for. Secret: dots instead of letters, and never guessed or learned.
ColumnLayout {
    id: field

    property alias input: input
    property string label: ""
    property bool secret: false

    signal edited
    signal entered

    spacing: 4

    InkText {
        Layout.fillWidth: true
        Accessible.ignored: true
        color: Theme.inkSoft
        font.pixelSize: Theme.small
        text: field.label
    }
    T.TextField {
        id: input

        Accessible.name: field.label
        Layout.fillWidth: true
        color: Theme.ink
        echoMode: field.secret ? TextInput.Password : TextInput.Normal
        font.family: Theme.family
        font.pixelSize: Theme.strong
        implicitHeight: Theme.target
        inputMethodHints: Qt.ImhNoPredictiveText | Qt.ImhNoAutoUppercase | (field.secret ? Qt.ImhSensitiveData | Qt.ImhHiddenText : 0)
        leftPadding: Theme.gapSmall
        maximumLength: 200
        rightPadding: Theme.gapSmall
        selectByMouse: true
        selectedTextColor: Theme.actionInk
        selectionColor: Theme.action
        verticalAlignment: TextInput.AlignVCenter

        background: Rectangle {
            border.color: input.activeFocus ? Theme.action : Theme.line
            border.width: input.activeFocus ? 5 : Theme.border
            color: Theme.surface
            radius: Theme.radius * 0.6
        }
        onAccepted: field.entered()
        onTextChanged: field.edited()
    }
}
