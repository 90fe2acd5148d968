"""A pipeline compiled for one image: passes, blocks, memory, devices, cost; reads no pixel."""
