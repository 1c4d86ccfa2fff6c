"""Where things could stand, what they see, and the least-cost choice among them."""
