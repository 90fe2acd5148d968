"""What an operation declares of itself: parameters, halo, cost, memory, what it makes of places."""
