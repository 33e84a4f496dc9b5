"""Names of the kinds of runs about bills, for who starts them and for who does them."""

STATEMENTS_KIND = "energy.statements"
VERIFY_KIND = "energy.verify"
MARKET_KIND = "energy.market"
