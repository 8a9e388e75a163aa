pragma ComponentBehavior: Bound

import QtQuick
import Shelfpoint

// The whole window: header, stage, footer, and what may lie over the stage. Which page is shown is the view's to say.
// Header and footer stay touchable while something lies over the stage: language and end at any moment.
Window {
    id: kiosk

    required property PatronScreen visit
    required property bool moving
    readonly property bool forStaff: visit.phase === "staff" || visit.phase === "staff_login"
    readonly property bool covered: visit.messageOpen || visit.helpOpen || visit.countdownNear
    readonly property Component page: {
        switch (visit.phase) {
        case "identify":
            return identifyPage;
        case "borrow":
            return borrowPage;
        case "return":
            return returnPage;
        case "account":
            return accountPage;
        case "done":
            return donePage;
        case "out_of_service":
            return outOfServicePage;
        case "staff_login":
            return staffLoginPage;
        case "staff":
            return staffPage;
        default:
            return startPage;
        }
    }

    color: Theme.paper
    height: 1920
    title: visit.library
    width: 1080

    Binding {
        property: "width"
        target: Theme
        value: kiosk.width
    }
    Binding {
        property: "height"
        target: Theme
        value: kiosk.height
    }
    Binding {
        property: "largeText"
        target: Theme
        value: kiosk.visit.largeText
    }
    Binding {
        property: "highContrast"
        target: Theme
        value: kiosk.visit.highContrast
    }
    Binding {
        property: "lowReach"
        target: Theme
        value: kiosk.visit.lowReach
    }
    Binding {
        property: "moving"
        target: Theme
        value: kiosk.moving
    }
    Binding {
        property: "stageTop"
        target: Theme
        value: stage.y
    }

    FocusScope {
        anchors.fill: parent
        focus: true

        Keys.onPressed: event => {
            kiosk.visit.stay();
            event.accepted = false;
        }

        Shortcut {
            sequence: "Ctrl+Shift+S"
            onActivated: kiosk.visit.staffDoor()
        }
        PointHandler {
            acceptedButtons: Qt.AllButtons
            enabled: kiosk.visit.countdown >= 0
            onActiveChanged: {
                if (active)
                    kiosk.visit.stay();
            }
        }
        TopBar {
            id: topBar

            anchors.left: parent.left
            anchors.right: parent.right
            visit: kiosk.visit
        }
        Banner {
            id: banner

            anchors.left: parent.left
            anchors.right: parent.right
            anchors.top: topBar.bottom
            text: qsTr("Offline just now. Borrowing and returning go on; slips say 'not yet confirmed'.")
            visible: kiosk.visit.link === "offline" && kiosk.visit.phase !== "out_of_service" && !kiosk.forStaff
        }
        FocusScope {
            id: stage

            anchors.bottom: bottomBar.top
            anchors.left: parent.left
            anchors.right: parent.right
            anchors.top: banner.visible ? banner.bottom : topBar.bottom
            focus: true

            Loader {
                id: pages

                anchors.fill: parent
                enabled: !kiosk.covered
                focus: !kiosk.covered
                sourceComponent: kiosk.page

                NumberAnimation on opacity {
                    id: fadeIn

                    duration: Theme.fade
                    from: 0
                    running: false
                    to: 1
                }

                onLoaded: fadeIn.restart()
            }
            Loader {
                active: kiosk.visit.helpOpen
                anchors.fill: parent
                enabled: !kiosk.visit.messageOpen && !kiosk.visit.countdownNear
                focus: active && enabled

                sourceComponent: HelpSheet {
                    focus: true
                    visit: kiosk.visit
                }
            }
            Loader {
                active: kiosk.visit.messageOpen
                anchors.fill: parent
                enabled: !kiosk.visit.countdownNear
                focus: active && enabled

                sourceComponent: MessageSheet {
                    focus: true
                    visit: kiosk.visit
                }
            }
            Loader {
                active: kiosk.visit.countdownNear
                anchors.fill: parent
                focus: active

                sourceComponent: CountdownSheet {
                    focus: true
                    visit: kiosk.visit
                }
            }
        }
        BottomBar {
            id: bottomBar

            anchors.bottom: parent.bottom
            anchors.left: parent.left
            anchors.right: parent.right
            visit: kiosk.visit
        }
    }

    Component {
        id: startPage

        StartPage {
            visit: kiosk.visit
        }
    }
    Component {
        id: identifyPage

        IdentifyPage {
            visit: kiosk.visit
        }
    }
    Component {
        id: borrowPage

        BorrowPage {
            visit: kiosk.visit
        }
    }
    Component {
        id: returnPage

        ReturnPage {
            visit: kiosk.visit
        }
    }
    Component {
        id: accountPage

        AccountPage {
            visit: kiosk.visit
        }
    }
    Component {
        id: donePage

        DonePage {
            visit: kiosk.visit
        }
    }
    Component {
        id: staffLoginPage

        StaffLoginPage {
            focus: true
            visit: kiosk.visit
        }
    }
    Component {
        id: staffPage

        StaffPage {
            visit: kiosk.visit
        }
    }
    Component {
        id: outOfServicePage

        OutOfServicePage {
            visit: kiosk.visit
        }
    }
}
