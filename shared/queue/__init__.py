"""The row is the queue: domain rows are claimed with a lease, so no second job table can disagree with them."""
