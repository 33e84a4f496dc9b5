"""From the bytes of a file to its facts, its picture and its model: pure computation, numpy in and numpy out.

Lengths are millimetres inside and metres in GLB. Nothing here knows Django, a clock or randomness, and nothing here
trusts a file: it runs inside `designs.sandbox`.
"""

#: Raised whenever pictures, models or facts of the same bytes would come out differently.
ENGINE_VERSION = "4"
