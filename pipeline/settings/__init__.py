"""The settings by what they are about, and where they are read from; ``pipeline.config`` joins them."""
