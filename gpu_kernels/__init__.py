"""CuPy kernels with the signatures of the CPU ones; imports cleanly without CuPy."""
