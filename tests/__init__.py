"""Tests mirror the tree; journeys/ cross the services, house/ keeps the rules of the house."""
