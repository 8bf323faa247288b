"""What all three services stand on: words, contracts, database, queue, messages, web, security.

Holds no business rule and knows no service.
"""
