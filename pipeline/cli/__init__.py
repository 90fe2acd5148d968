"""The command ``halorow``: what it understands, and how it shows what it is told."""
