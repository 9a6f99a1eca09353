"""Orders of the shop: loading, reporting, archiving."""
