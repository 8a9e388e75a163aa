pragma ComponentBehavior: Bound

import QtQuick
import QtQuick.Templates as T

// Letters, digits and signs to be touched, three rows of them, for whatever field has the cursor. A keyboard that is
// plugged in works beside it: these keys never take the cursor away.
Item {
    id: keys

    property string enterText: ""
    property bool upper: false
    property int page: 0
    readonly property int _space: 6
    readonly property real _unit: (width + _space) / 12 - _space
    readonly property var _pages: [["qwertyuiop", "asdfghjkl ", "zxcvbnm"], ["1234567890", "-_.@!?#$%&", "*+=/():;"], [",'\"[]{}<>\\", "|^~`", ""]]
    readonly property var _rows: _pages[page].map((row, number) => {
        const letters = row.split("").map(sign => ({
                    "sign": upper ? sign.toUpperCase() : sign,
                    "act": "type",
                    "wide": 1
                }));
        const left = 10 - (number === 2 ? 2 : 0) - letters.length;
        if (number === 2 && page === 0)
            letters.unshift({
                "sign": upper ? "⇩" : "⇧",
                "act": "shift",
                "wide": 1
            });
        else if (left > 0)
            letters.push({
                "sign": "",
                "act": "none",
                "wide": left
            });
        if (number === 2)
            letters.push({
                "sign": ["123", "#[ ]", "abc"][page],
                "act": "page",
                "wide": 2
            });
        letters.push({
            "sign": ["⌫", "⇥", enterText][number],
            "act": ["erase", "next", "enter"][number],
            "wide": 2
        });
        return letters;
    })

    signal typed(string sign)
    signal erased
    signal entered
    signal nextField

    function _press(act: string, sign: string): void {
        switch (act) {
        case "type":
            typed(sign);
            upper = false;
            break;
        case "shift":
            upper = !upper;
            break;
        case "page":
            page = (page + 1) % 3;
            break;
        case "erase":
            erased();
            break;
        case "next":
            nextField();
            break;
        case "enter":
            entered();
        }
    }

    Repeater {
        model: keys._rows

        Row {
            id: line

            required property int index
            required property var modelData

            height: (keys.height - 2 * keys._space) / 3
            spacing: keys._space
            y: index * (height + keys._space)

            Repeater {
                model: line.modelData

                T.Button {
                    id: key

                    required property var modelData
                    readonly property bool _main: modelData.act === "enter"
                    readonly property bool _plain: modelData.act === "type"

                    Accessible.name: modelData.act === "erase" ? qsTr("Erase") : modelData.act === "shift" ? qsTr("Capital letters")
                                   : modelData.act === "next" ? qsTr("Next field") : modelData.act === "page" ? qsTr("Other signs")
                                   : modelData.sign === " " ? qsTr("Space") : modelData.sign
                    autoRepeat: modelData.act === "erase"
                    enabled: modelData.act !== "none"
                    focusPolicy: Qt.NoFocus
                    height: line.height
                    font.bold: !_plain
                    font.family: Theme.family
                    font.pixelSize: _main ? Theme.body : Theme.strong
                    objectName: "key_" + (_plain ? modelData.sign : modelData.act)
                    opacity: enabled ? 1 : 0
                    width: modelData.wide * (keys._unit + keys._space) - keys._space

                    background: Rectangle {
                        border.color: key._main ? Theme.action : Theme.line
                        border.width: Theme.border
                        color: key._main ? (key.down ? Theme.actionPressed : Theme.action)
                             : key.down ? Theme.tint : key._plain ? Theme.surface : Theme.tintSoft
                        radius: Theme.radius * 0.5
                    }
                    contentItem: Text {
                        Accessible.ignored: true
                        color: key._main ? Theme.actionInk : Theme.ink
                        font: key.font
                        horizontalAlignment: Text.AlignHCenter
                        text: key.modelData.sign === " " ? "␣" : key.modelData.sign
                        textFormat: Text.PlainText
                        verticalAlignment: Text.AlignVCenter
                    }
                    onClicked: keys._press(modelData.act, modelData.sign)
                }
            }
        }
    }
}
