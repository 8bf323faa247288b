"""What monitoring knows without asking anybody: households, facts, measures, policies."""
