"""A plan carried out by all ranks together."""

from mpi_stage.engine.engine import Engine

__all__ = ["Engine"]
