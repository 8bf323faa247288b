"""Words and values that all three services speak; pure."""
