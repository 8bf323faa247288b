"""What people see of a person's data when they need not see it whole."""


def mask_name(name: str) -> str:
    """张建国 becomes 张*国, 张三 becomes 张*."""
    if len(name) <= 1:
        return "*"
    return f"{name[0]}*" if len(name) == 2 else f"{name[0]}{'*' * (len(name) - 2)}{name[-1]}"


def mask_number(number: str) -> str:
    """Show the first four and the last two: six and four would leave a few thousand possible birth dates."""
    return f"{number[:4]}{'*' * max(len(number) - 6, 0)}{number[-2:]}" if len(number) > 6 else "*" * len(number)


def mask_phone(phone: str) -> str:
    """19900000001 becomes 199****0001."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 8 else "*" * len(phone)
