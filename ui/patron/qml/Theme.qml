pragma Singleton

import QtQuick

// Every size and colour of the patron's screen, for a window of any size and for the patron's own choices.
// Contrast against the ground it stands on is at least 7:1 for every text (tests/ui/test_looks.py measures it).
QtObject {
    // Set by Kiosk.qml, once.
    property real width: 1080
    property real height: 1920
    property bool largeText: false
    property bool highContrast: false
    property bool lowReach: false
    property bool moving: true
    property real stageTop: 0

    readonly property bool wide: width > height
    readonly property bool compact: Math.min(width, height) < 900

    property real staffPress: 2 // seconds on the header

    // --- colours: warm paper, ink, one teal for action; amber waits, red stops
    readonly property color paper: highContrast ? "#000000" : "#faf6ee"
    readonly property color surface: highContrast ? "#000000" : "#ffffff"
    readonly property color ink: highContrast ? "#ffffff" : "#23262f"
    readonly property color inkSoft: highContrast ? "#ffffff" : "#4b4a4f"
    readonly property color disabled: highContrast ? "#a0a0a0" : "#4b4a4f"
    readonly property color disabledLine: highContrast ? "#5c5c5c" : "#e3dbcb"
    readonly property color line: highContrast ? "#ffffff" : "#e3dbcb"
    readonly property color action: highContrast ? "#ffffff" : "#0b5a57"
    readonly property color actionPressed: highContrast ? "#c8c8c8" : "#07403e"
    readonly property color actionInk: highContrast ? "#000000" : "#ffffff"
    readonly property color tint: highContrast ? "#1c1c1c" : "#d6e8e4"
    readonly property color tintLine: highContrast ? "#ffffff" : "#d6e8e4"
    readonly property color tintSoft: highContrast ? "#000000" : "#e9f2ef"
    readonly property color tintInk: highContrast ? "#ffffff" : "#07403e"
    readonly property color amber: highContrast ? "#000000" : "#fbe3b5"
    readonly property color amberLine: highContrast ? "#ffd84d" : "#d99a2b"
    readonly property color amberInk: highContrast ? "#ffd84d" : "#4d2f00"
    readonly property color stop: highContrast ? "#000000" : "#fae3df"
    readonly property color stopLine: highContrast ? "#ffb3a8" : "#a32020"
    readonly property color stopInk: highContrast ? "#ffb3a8" : "#7a1414"
    readonly property color veil: highContrast ? "#e6000000" : "#99201c14"
    readonly property color focus: highContrast ? "#ffd84d" : "#23262f"
    readonly property real border: highContrast ? 4 : 2

    // --- type
    readonly property string family: Application.font.family
    readonly property real _grown: largeText ? 1.28 : 1
    readonly property int label: Math.round((compact ? 24 : 26) * (largeText ? 1.15 : 1))
    readonly property int small: Math.round((compact ? 24 : 28) * _grown)
    readonly property int body: Math.round((compact ? 26 : 34) * _grown)
    readonly property int notice: largeText || lowReach ? small : body
    readonly property int strong: Math.round((compact ? 30 : 40) * _grown)
    readonly property int title: Math.round((compact ? 42 : 62) * (largeText ? 1.16 : 1))
    readonly property int tile: Math.round((compact ? 44 : 64) * (largeText ? 1.16 : 1))

    // --- space
    readonly property int edge: compact ? 28 : 56
    readonly property int gap: compact ? 16 : 28
    readonly property int gapSmall: compact ? 10 : 16
    readonly property int radius: compact ? 18 : 26
    readonly property int target: Math.round((compact ? 76 : 104) * (largeText ? 1.1 : 1))
    readonly property int icon: Math.round((compact ? 34 : 46) * (largeText ? 1.15 : 1))

    // --- motion: a short fade, or none
    readonly property int fade: moving ? 160 : 0
}
