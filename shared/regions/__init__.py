"""Divisions with their names and the days they are in force: shipped, imported, looked up."""
