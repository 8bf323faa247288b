"""Messages: written with their cause (outbox), relayed signed, taken in once (inbox)."""
