import Shelfpoint

// A drawing in one colour, as large as an icon.
Drawing {
    implicitWidth: Theme.icon
    implicitHeight: Theme.icon
    ink: Theme.ink
    accent: Theme.action
    tint: Theme.tint
    surface: Theme.surface
}
