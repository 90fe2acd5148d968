"""The program that the MPI ranks run: it filters one image and imports nothing from the service."""
