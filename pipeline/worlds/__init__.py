"""MPI worlds on one machine or several: started, supervised, kept warm, ended."""
