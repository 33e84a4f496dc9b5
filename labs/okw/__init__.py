"""Open Know-Where documents: labs and their machines as other networks describe them. Pure: no database, no clock.

The standard (Internet of Production Alliance, version 1) names properties and recommends Wikipedia articles as the
vocabulary, but no format; docs/okw.md says how we read and write it.
"""

from labs.okw.facility import Equipment, Facility, Finding, Reading
from labs.okw.read import read
from labs.okw.write import as_yaml, document

__all__ = ["Equipment", "Facility", "Finding", "Reading", "as_yaml", "document", "read"]
