"""Files of readings as utilities write them: CSV with a mapping of its columns, and Green Button XML.

Pure Python: pages read previews with it, commands whole files. Nothing here touches the database, and nothing is filled
in: what a file does not say stays unknown.
"""
