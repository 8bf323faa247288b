"""What people see of a person's data when they need not see it whole."""

import re

# Of identity numbers, old ones of 15 digits too, and bank cards; blanks and hyphens between the digits hide nothing.
_RUN = re.compile(r"\d(?:[\s\-]?\d){14,}(?:[\s\-]?[XxＸｘ])?")


def mask_name(name: str) -> str:
    """张建国 becomes 张*国, 张三 becomes 张*."""
    if len(name) <= 1:
        return "*"
    return f"{name[0]}*" if len(name) == 2 else f"{name[0]}{'*' * (len(name) - 2)}{name[-1]}"


def mask_number(number: str) -> str:
    """Show the first four and the last two: six and four would leave a few thousand possible birth dates."""
    return f"{number[:4]}{'*' * max(len(number) - 6, 0)}{number[-2:]}" if len(number) > 6 else "*" * len(number)


def mask_numbers_in(text: str) -> str:
    """A text of a person's own with long numbers in it masked, mistyped ones too; phones and the rest stay."""
    return _RUN.sub(lambda run: mask_number(run[0]), text)


def mask_phone(phone: str) -> str:
    """19900000001 becomes 199****0001."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 8 else "*" * len(phone)
