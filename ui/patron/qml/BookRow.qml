import QtQuick
import QtQuick.Layouts

// One book: its state as sign, word and colour; title, due date, and a sentence where there is one.
Rectangle {
    id: book

    required property int index
    required property string item
    required property string title
    required property string mark
    required property string badge
    required property string due
    required property string note
    required property bool renewable
    required property string hold
    required property bool cancellable
    required property bool asks
    readonly property bool _stop: mark === "refused" || mark === "overdue"
    readonly property bool _amber: mark === "provisional" || mark === "working"
    readonly property bool _waits: mark === "hold_waiting" || mark === "hold_coming"
    readonly property color _sign: _stop ? Theme.stopInk : _amber ? Theme.amberInk : Theme.tintInk

    signal renewed(string item)
    signal cancelled(string hold)
    signal focused(int index)

    Accessible.name: [title, badge, due, note].filter(part => part !== "").join("，")
    Accessible.role: Accessible.ListItem
    border.color: _stop ? Theme.stopLine : _amber ? Theme.amberLine : Theme.line
    border.width: Theme.border
    color: Theme.surface
    implicitHeight: row.implicitHeight + 2 * Theme.gapSmall
    radius: Theme.radius * 0.8

    RowLayout {
        id: row

        anchors.left: parent.left
        anchors.leftMargin: Theme.gapSmall
        anchors.right: parent.right
        anchors.rightMargin: Theme.gapSmall
        anchors.verticalCenter: parent.verticalCenter
        spacing: Theme.gapSmall

        Rectangle {
            Layout.alignment: Qt.AlignTop
            Layout.preferredHeight: Theme.icon * 1.5
            Layout.preferredWidth: Theme.icon * 1.5
            border.color: book._sign
            border.width: Theme.highContrast ? 3 : 0
            color: book._stop ? Theme.stop : book._amber ? Theme.amber : Theme.tint
            radius: width / 2

            Icon {
                anchors.centerIn: parent
                height: width
                ink: book._sign
                name: book._stop ? "stop" : book.mark === "working" || book._waits ? "waiting" : book._amber ? "clock" : "tick"
                width: parent.width * 0.62
            }
        }
        ColumnLayout {
            Layout.fillWidth: true
            spacing: 4

            InkText {
                Layout.fillWidth: true
                Accessible.ignored: true
                elide: Text.ElideRight
                font.bold: true
                font.pixelSize: Theme.strong
                lineHeight: 0.98
                maximumLineCount: 4
                text: book.title
            }
            Flow {
                Layout.fillWidth: true
                spacing: Theme.gap

                InkText {
                    Accessible.ignored: true
                    color: book._sign
                    font.bold: true
                    font.pixelSize: Theme.body
                    text: book.badge
                    visible: text !== ""
                    wrapMode: Text.NoWrap
                }
                InkText {
                    Accessible.ignored: true
                    font.pixelSize: Theme.body
                    text: book.due
                    visible: text !== ""
                    wrapMode: Text.NoWrap
                }
            }
            InkText {
                Layout.fillWidth: true
                Accessible.ignored: true
                color: Theme.stopInk
                text: book._stop ? book.note : ""
                visible: text !== ""
            }
            Notice {
                Layout.fillWidth: true
                Layout.topMargin: 4
                drawing: "info"
                kind: "amber"
                text: book._stop ? "" : book.note
            }
        }
        PushButton {
            Accessible.description: book.title
            drawing: "renew"
            objectName: "btn_renew_" + book.item
            text: qsTr("Renew")
            visible: book.renewable
            onActiveFocusChanged: {
                if (activeFocus)
                    book.focused(book.index);
            }
            onClicked: book.renewed(book.item)
        }
        PushButton {
            Accessible.description: book.title
            drawing: "end"
            main: book.asks
            objectName: "btn_cancel_" + book.hold
            text: book.asks ? qsTr("Really cancel?") : qsTr("Cancel")
            visible: book.cancellable
            onActiveFocusChanged: {
                if (activeFocus)
                    book.focused(book.index);
            }
            onClicked: book.cancelled(book.hold)
        }
    }
}
