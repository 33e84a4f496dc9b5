"""The city kept a second time: backups, bringing one back, and proving by a drill that it can be brought back.

A backup is a plain folder (`manifest`). `making` writes one, `restoring` fills an empty machine from one, `drills`
restores one into a throw-away city and looks at what came back; `shelf` knows which there are. How the rows of the
database go out and in is in `rows`, how files do in `files`.
"""
