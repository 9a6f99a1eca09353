"""Customers, derived from what they ordered."""
