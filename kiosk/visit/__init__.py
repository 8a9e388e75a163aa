"""The patron's visit as tables of (task, event) -> (visit, effects); the view is a function of the visit. Pure."""
