"""Journeys across the services, in real processes, in both modes."""
