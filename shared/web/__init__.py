"""The HTTP edge that all services share: app factory, problems, strict bodies, callers, pages, health, metrics."""
