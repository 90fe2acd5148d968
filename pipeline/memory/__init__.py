"""Queue, board and bus in this process's memory: for tests of what stands on the ports."""
