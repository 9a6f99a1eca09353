"""What dagsync is measured against. Each is a script, run by a Python of its own."""
