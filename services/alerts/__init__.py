"""Alerts (预警处置): a warning reaches the cadre who answers for the household, and the answer comes back."""
