"""`python -m livingcity_agent`."""

import sys

from livingcity_agent.cli import main

sys.exit(main())
