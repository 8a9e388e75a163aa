import QtQuick
import QtQuick.Layouts
import Shelfpoint

// The patron's own choices, at any moment: language, 大字, contrast, low reach.
RowLayout {
    id: tools

    required property PatronScreen visit
    property bool inLine: false
    readonly property real _widest: Math.max(language.implicitWidth, large.implicitWidth, contrast.implicitWidth, low.implicitWidth)

    spacing: Theme.gapSmall

    ToolButton {
        id: language

        Layout.fillWidth: true
        Layout.preferredWidth: tools._widest
        inLine: tools.inLine
        Accessible.name: tools.visit.language === "en" ? "切換為中文" : "Switch to English"
        drawing: "language"
        objectName: "btn_language"
        text: tools.visit.language === "en" ? "中文" : "English"
        onClicked: tools.visit.switchLanguage()
    }
    ToolButton {
        id: large

        Layout.fillWidth: true
        Layout.preferredWidth: tools._widest
        inLine: tools.inLine
        drawing: "large_text"
        objectName: "btn_large_text"
        on: tools.visit.largeText
        text: qsTr("Large text")
        onClicked: tools.visit.switchLargeText()
    }
    ToolButton {
        id: contrast

        Layout.fillWidth: true
        Layout.preferredWidth: tools._widest
        inLine: tools.inLine
        drawing: "contrast"
        objectName: "btn_high_contrast"
        on: tools.visit.highContrast
        text: qsTr("Contrast")
        onClicked: tools.visit.switchHighContrast()
    }
    ToolButton {
        id: low

        Layout.fillWidth: true
        Layout.preferredWidth: tools._widest
        inLine: tools.inLine
        drawing: "low_reach"
        objectName: "btn_low_reach"
        on: tools.visit.lowReach
        text: qsTr("Low reach")
        onClicked: tools.visit.switchLowReach()
    }
}
