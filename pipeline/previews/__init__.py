"""Previews of a pipeline while it is built, by disposable processes that stay warm for a while."""
