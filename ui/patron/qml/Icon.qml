// A drawing in one colour, as large as an icon.
Drawing {
    implicitHeight: Theme.icon
    implicitWidth: Theme.icon
}
