"""Monitoring: facts, policies, assessments, decisions."""
