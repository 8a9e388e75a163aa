import QtQuick
import QtQuick.Layouts
import Shelfpoint

// The door of the staff page: a login and a password, on the screen's keys or on a real keyboard.
FocusScope {
    id: page

    required property PatronScreen visit
    readonly property TypedField _current: password.input.activeFocus ? password : login

    function _enter(): void {
        if (login.input.text.trim() === "") {
            login.input.forceActiveFocus();
        } else if (password.input.text === "") {
            password.input.forceActiveFocus();
        } else if (!visit.staffAsking) {
            visit.tryStaff(login.input.text, password.input.text);
            password.input.clear();
            password.input.forceActiveFocus();
        }
    }

    ColumnLayout {
        anchors.bottom: typing.top
        anchors.bottomMargin: Theme.gap
        anchors.left: parent.left
        anchors.margins: Theme.edge
        anchors.right: parent.right
        anchors.top: parent.top
        anchors.topMargin: Theme.gapSmall
        spacing: Theme.gapSmall

        InkText {
            Layout.fillWidth: true
            Accessible.role: Accessible.Heading
            font.bold: true
            font.pixelSize: Theme.title
            objectName: "title"
            text: qsTr("For library staff")
            visible: !told.visible || !Theme.wide || !(Theme.lowReach || Theme.largeText)
        }
        GridLayout {
            Layout.fillWidth: true
            columnSpacing: Theme.gap
            columns: Theme.wide ? 2 : 1
            rowSpacing: Theme.gapSmall
            uniformCellWidths: true

            TypedField {
                id: login

                Layout.fillWidth: true
                input.focus: true
                input.objectName: "field_login"
                label: qsTr("Login")
                onEdited: page.visit.stay()
                onEntered: page._enter()
            }
            TypedField {
                id: password

                Layout.fillWidth: true
                input.objectName: "field_password"
                label: qsTr("Password")
                secret: true
                onEdited: page.visit.stay()
                onEntered: page._enter()
            }
        }
        Notice {
            id: told

            Layout.fillWidth: true
            kind: page.visit.staffAsking ? "calm" : "stop"
            objectName: "staff_refused"
            text: page.visit.staffAsking ? qsTr("One moment, please") : page.visit.staffRefusedText
        }
        Item {
            Layout.fillHeight: true
        }
    }
    TypingKeys {
        id: typing

        anchors.bottom: parent.bottom
        anchors.bottomMargin: Theme.gapSmall
        anchors.left: parent.left
        anchors.leftMargin: Theme.edge
        anchors.right: parent.right
        anchors.rightMargin: Theme.edge
        enterText: qsTr("Log in")
        height: Math.min(Theme.target * (Theme.wide ? 3.6 : 4.2), Math.max(3 * 72 + 12, page.height - Math.max(0, Theme.height / 2 - Theme.stageTop) - Theme.gapSmall))
        onEntered: page._enter()
        onErased: {
            const input = page._current.input;
            if (input.cursorPosition > 0)
                input.remove(input.cursorPosition - 1, input.cursorPosition);
        }
        onNextField: (page._current === login ? password : login).input.forceActiveFocus()
        onTyped: sign => page._current.input.insert(page._current.input.cursorPosition, sign)
    }
}
