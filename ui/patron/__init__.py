"""What the patron sees: view models in Python, screens in QML, drawings in SVG. Nothing is decided here."""
