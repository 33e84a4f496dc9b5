"""How much of the city is modelled: 16 systems, levels 0 to 5, each level from evidence found in the
database.

`systems` names the systems and how long evidence stays fresh, `twin_evidence` gathers what the twin itself
holds, `cells` asks every room's evidence and makes the cells, `figure` makes the headline.
"""
