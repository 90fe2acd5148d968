"""Who asks, and what they may see."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody may do: a user with jobs of their own, an operator with everybody's."""

    USER = "user"
    OPERATOR = "operator"


@dataclass(frozen=True)
class Person:
    """Somebody who has logged in.

    Attributes
    ----------
    name: whose jobs theirs are; what the identity provider vouches for.
    role: see :class:`Role`.

    """

    name: str
    role: Role = Role.USER

    @property
    def is_operator(self) -> bool:
        """Whether this person sees everything."""
        return self.role is Role.OPERATOR

    def may_see(self, user: str) -> bool:
        """Whether a job of ``user`` is there for this person."""
        return self.is_operator or user == self.name
