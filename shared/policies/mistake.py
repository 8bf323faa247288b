"""A mistake in a policy package, told as its author needs it: where, what, what is right, an example."""

from typing import ClassVar

from shared.errors import FieldError, Unprocessable


class PolicyMistake(Unprocessable):
    """A policy package says something that cannot be meant (政策包有误)."""

    code: ClassVar[str] = "policy_mistake"
    title: ClassVar[str] = "政策包有误"

    def __init__(self, file: str, line: int, what: str, *, right: str, example: str) -> None:
        where = f"{file} 第{line}行"
        super().__init__(
            f"{where}：{what}。正确写法：{right}。例如：{example}",
            errors=[FieldError(where, self.code, what, right, example)],
        )
        self.file, self.line, self.what, self.right, self.example = file, line, what, right, example
