"""What dagsync costs beside the alternatives, which take turns in one run. No time is ever asserted."""
