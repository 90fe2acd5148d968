"""What a client can do, a side for each thing that people want of it."""
