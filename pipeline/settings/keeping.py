"""How long what the service makes is kept."""

from pydantic import BaseModel, Field, field_validator
from pydantic_core import PydanticCustomError

from pipeline.decisions.retention import MARGIN_S, Retention


class KeepingSettings(BaseModel):
    """How long things are kept."""

    finished_ttl_s: int = Field(30 * 86_400, ge=60, description="how long finished jobs are listed")
    input_ttl_s: int = Field(7 * 86_400, ge=0, description="how long uploads are kept after their job's end")
    band_ttl_s: int = Field(86_400, ge=0, description="the same for parts of unfinished outputs")
    result_ttl_s: int = Field(30 * 86_400, ge=0, description="the same for results in the service's folders")
    record_ttl_s: int = Field(
        90 * 86_400, ge=0, description="the same for what is known of jobs; 0: for ever"
    )
    clean_s: float = Field(3600.0, ge=1, le=86_400, description="how often is removed what is kept no longer")

    @field_validator("input_ttl_s", "band_ttl_s", "result_ttl_s", "record_ttl_s")
    @classmethod
    def _long_enough(cls, life_s: int) -> int:
        if 0 < life_s < 2 * MARGIN_S:
            least = {"least_s": int(2 * MARGIN_S)}
            raise PydanticCustomError("life", "must be at least {least_s} s, or 0 for ever", least)
        return life_s

    @property
    def retention(self) -> Retention:
        """How long what the service makes is kept."""
        return Retention(self.input_ttl_s, self.band_ttl_s, self.result_ttl_s, self.record_ttl_s)
