"""Products, as the supplier's API describes them."""
