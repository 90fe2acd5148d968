"""What operators are told of."""

from pydantic import BaseModel, Field


class AlertSettings(BaseModel):
    """The limits of the rules of alerts; 0 switches a rule off."""

    alert_cpu_percent: float = Field(
        95.0, ge=0, le=100, description="a node's CPU that raises an alert when it lasts; 0: never"
    )
    alert_cpu_s: float = Field(900.0, ge=0, le=86_400, description="how long it must last for that")
    alert_queue_s: float = Field(
        1800.0, ge=0, description="a job that waits longer for its turn raises an alert; 0: never"
    )
    alert_failures: int = Field(
        10, ge=0, description="failures in half an hour that raise an alert; 0: never"
    )
    alert_dead: int = Field(1, ge=0, description="dead letters of a day that raise an alert; 0: never")
    alert_disk_percent: float = Field(
        90.0, ge=0, le=100, description="a disk so full raises an alert; 0: never"
    )
    alert_away_s: float = Field(
        60.0, ge=0, le=86_400, description="store or Redis away for so long raise an alert; 0: never"
    )
    alert_clear_s: float = Field(
        120.0, ge=0, le=86_400, description="how long all must be well before an alert is cleared"
    )
    alert_look_s: float = Field(10.0, ge=0.1, le=3600, description="how often that is looked at")
