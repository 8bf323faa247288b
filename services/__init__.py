"""The three services of fangpin (intake, monitoring, alerts), each a package that never imports another.

`services.cli` and `services.all_in_one` compose them; nothing imports those two.
"""
