"""A layout as a typed interface means it: JSON says amounts as decimal text, without marks made for the eye."""

from dataclasses import replace

from services.intake.domain.feed_layout import ColumnType, FeedLayout


def typed_layout(layout: FeedLayout) -> FeedLayout:
    """The layout with amounts that have no thousands commas, currency marks or 万."""
    columns = [replace(c, typed=True) if c.type is ColumnType.MONEY_YUAN else c for c in layout.columns]
    return replace(layout, columns=tuple(columns))
