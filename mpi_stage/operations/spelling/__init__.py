"""How pipelines are written: text, JSON, presets, and what is said of what is wrong."""
