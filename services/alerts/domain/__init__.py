"""The nouns of alerts, pure: who is on duty, what an alert may become, what a message may say."""
