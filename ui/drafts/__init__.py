"""A pipeline while it is built, and the forms of its steps; pure."""
