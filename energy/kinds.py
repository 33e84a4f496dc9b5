"""Names of kinds of runs, for who starts them and for who does them."""

STATEMENTS_KIND = "energy.statements"
VERIFY_KIND = "energy.verify"
MARKET_KIND = "energy.market"
GRID_KIND = "energy.grid"
