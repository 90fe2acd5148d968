"""CUDA kernels, written and compiled for the steps of a pass; imports cleanly without CuPy."""
