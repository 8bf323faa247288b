"""For which department a caller acts: a liaison for his own, and without one for none."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends

from shared.errors import Forbidden
from shared.security.principal import Principal
from shared.vocabulary.terms import Role
from shared.web.dependencies import require


class DepartmentMissing(Forbidden):
    """No department in a token means all departments for the county's staff and its systems, never for a liaison."""

    code, title = "department_missing", "登录信息中没有所属部门"


def for_department(scope: str) -> Callable[[Principal], Awaitable[Principal]]:
    """A dependency: the caller, who must hold `scope`, and if he is a liaison belong to a department."""

    async def allowed(caller: Annotated[Principal, Depends(require(scope))]) -> Principal:
        if caller.role is Role.LIAISON and caller.department is None:
            raise DepartmentMissing("部门联络员只能办理本部门的数据；请联系管理员补充所属部门")
        return caller

    return allowed
