import QtQuick

// Every page has two parts: what it says (`lead`) and what is touched (`work`). Portrait: one above the other. Wide:
// side by side. Low reach: everything touchable below the middle of the window.
FocusScope {
    id: frame

    default property alias lead: leadPart.data
    property alias work: workPart.data
    property real share: 0.38
    property real wideShare: 0.42
    readonly property bool sideBySide: Theme.wide && !Theme.lowReach
    readonly property real _middle: Math.max(0, Theme.height / 2 - Theme.stageTop)

    Item {
        id: leadPart

        height: frame.sideBySide ? parent.height - 2 * y
              : (Theme.lowReach ? frame._middle : parent.height * frame.share) - y - Theme.gap / 2
        width: frame.sideBySide ? (parent.width - 2 * x - Theme.gap * 2) * frame.wideShare : parent.width - 2 * x
        x: Theme.edge
        y: Theme.gap
    }
    Item {
        id: workPart

        height: parent.height - y - Theme.gap
        width: parent.width - x - Theme.edge
        x: frame.sideBySide ? leadPart.x + leadPart.width + Theme.gap * 2 : Theme.edge
        y: frame.sideBySide ? Theme.gap : leadPart.y + leadPart.height + Theme.gap
    }
}
