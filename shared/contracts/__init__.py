"""Messages between services: each type is owned by its speaker and versioned in its name."""
