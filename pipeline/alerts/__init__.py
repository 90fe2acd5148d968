"""Alerts by rule: raised when something has been wrong for long enough, cleared when it is well again."""
