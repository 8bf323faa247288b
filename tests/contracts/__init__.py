"""What other systems rely on: the three OpenAPI documents and the shapes of messages."""
