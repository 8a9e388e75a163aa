"""The central server: judges every word of an act once, keeps the library's records, and feeds the kiosks' replicas.

`office.Central` is the whole of it in one object; `http` is its only door to the network. Stands on `kiosk.domain`
(the same rules as at the kiosk) and `sync.wire`; knows nothing of the kiosk's half of `sync`.
"""
