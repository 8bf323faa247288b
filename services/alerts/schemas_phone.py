"""Bodies of what the county does for phones."""

from pydantic import BaseModel, Field

from services.alerts.schemas import Note
from shared.web.schema import Name, Strict


class PinResetIn(Strict):
    """Whose PIN is forgotten, and why it may be: he was asked in person."""

    officer_no: Name = Field(examples=["GB0001"])
    reason: Note = Field(min_length=1, examples=["本人到场，忘记口令"])


class PinReset(BaseModel):
    """The officer sets a new PIN with his next link; all his phones are logged out."""

    officer_no: str
    had_pin: bool
