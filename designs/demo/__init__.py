"""The room's part of the demo city: designs of our own as real git repositories with history, made by demo people.

`stock` says which designs there are, `forge` who forked them and what they offer, `life` what people do around them;
this module does it, through the same services as everybody. Each step looks first whether it was done already.
"""

from designs.demo.removal import remove
from designs.demo.seeding import seed

__all__ = ["remove", "seed"]
