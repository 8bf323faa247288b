"""The nouns of intake: layouts, rows, values and self-reports; pure."""
