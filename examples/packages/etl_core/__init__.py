"""What the packages share. Holds no jobs."""
