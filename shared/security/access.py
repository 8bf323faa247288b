"""Access as tables: which role may call what (scopes), and which kinds of field it sees."""

from types import MappingProxyType

from shared.security.principal import Principal
from shared.vocabulary.terms import Role

SCOPES = MappingProxyType(
    {
        "intake:reports:write": "提交农户自主申报",
        "intake:reports:read": "查询申报进度",
        "intake:appeals:decide": "裁定申诉（仅限个人）",
        "intake:feeds:write": "上传部门数据",
        "intake:feeds:read": "查看数据目录与上传结果",
        "intake:connectors": "维护部门对接接口",
        "intake:layouts": "增加、停用本地的自定义数据集",
        "monitoring:read": "查看农户与评估",
        "monitoring:figures": "只看统计数字，小于 5 户的隐去",
        "monitoring:evaluate": "试算",
        "monitoring:rescreen": "发起重新筛查",
        "monitoring:decide": "作出纳入、变更、消除决定（仅限个人）",
        "monitoring:policy": "起草、比较、审批、发布政策（仅限个人）",
        "monitoring:quality": "查看疑点数据（联络员只见本部门的）",
        "monitoring:quality:close": "说明疑点情况属实（仅限个人）",
        "monitoring:returns": "下载月度反馈单（联络员只得本部门的）",
        "monitoring:register": "维护农户花名册：迁移、分户、合户、成员变动、监测名单",
        "alerts:read": "查看预警与收件箱",
        "alerts:act": "签收、核实、移交预警",
        "alerts:tasks": "办理行业部门任务、提交会商意见、查看有关消息（联络员只见本部门的）",
        "alerts:supervise": "抽查复核、查看集中办结、组织联合会商（仅限个人）",
        "alerts:admin": "管理人员、职责、路由与通知渠道",
        "alerts:silence": "在辖区内静默消息（仅限个人）",
        "subscriptions:admin": "管理消息订阅",
    }
)

_CADRE = frozenset(
    {
        "intake:reports:write",
        "intake:reports:read",
        "monitoring:read",
        "monitoring:quality",
        "monitoring:quality:close",
        "alerts:read",
        "alerts:act",
        "alerts:tasks",
    }
)
_TOWNSHIP = _CADRE | {
    "intake:appeals:decide",
    "intake:feeds:read",
    "monitoring:evaluate",
    "alerts:silence",
    "alerts:supervise",
}
_COUNTY = frozenset(SCOPES)

SCOPES_OF_ROLE = MappingProxyType(
    {
        Role.GRID_WORKER: _CADRE,
        Role.VILLAGE_SECRETARY: _CADRE,
        Role.FIRST_SECRETARY: _CADRE,
        Role.VILLAGE_CADRE: _CADRE,
        Role.TOWNSHIP_DEPUTY: _TOWNSHIP,
        Role.TOWNSHIP_LEADER: _TOWNSHIP,
        Role.COUNTY_ADMIN: _COUNTY,
        Role.LIAISON: frozenset(
            {
                "intake:feeds:write",
                "intake:feeds:read",
                "monitoring:quality",
                "monitoring:quality:close",
                "monitoring:returns",
                "alerts:tasks",
            }
        ),
        Role.AUDITOR: frozenset(
            {"intake:feeds:read", "intake:reports:read", "monitoring:read", "monitoring:quality", "alerts:read"}
        ),
    }
)

# A system never decides: no machine principal may classify, approve or remove a household.
SCOPES_OF_SYSTEMS = frozenset(SCOPES) - {
    "intake:appeals:decide",
    "monitoring:decide",
    "monitoring:policy",
    "monitoring:quality:close",
    "alerts:act",
    "alerts:silence",
    "alerts:tasks",
    "alerts:supervise",
}

# `complaint` is what somebody said in a complaint: never shown in the village (信访内容不回流村内).
FIELD_CLASSES_OF_ROLE = MappingProxyType(
    {
        Role.GRID_WORKER: frozenset({"contact", "cause"}),
        Role.VILLAGE_SECRETARY: frozenset({"contact", "cause", "class"}),
        Role.FIRST_SECRETARY: frozenset({"contact", "cause", "class"}),
        Role.VILLAGE_CADRE: frozenset({"contact", "cause", "class"}),
        Role.TOWNSHIP_DEPUTY: frozenset({"contact", "cause", "class", "amount", "complaint"}),
        Role.TOWNSHIP_LEADER: frozenset({"contact", "cause", "class", "amount", "complaint"}),
        Role.COUNTY_ADMIN: frozenset({"contact", "cause", "class", "amount", "health", "complaint"}),
        Role.LIAISON: frozenset[str](),
        Role.AUDITOR: frozenset({"cause", "class", "amount"}),
    }
)


def allowed_scopes(kind: str, role: Role | None, asked: frozenset[str]) -> frozenset[str]:
    """The scopes a token really carries: what was asked for, within what its kind and role may hold."""
    ceiling = SCOPES_OF_ROLE[role] if role is not None else SCOPES_OF_SYSTEMS
    return asked & ceiling if kind == "person" else asked & ceiling & SCOPES_OF_SYSTEMS


def field_classes(principal: Principal) -> frozenset[str]:
    """The kinds of field a principal sees; a system sees class and cause, never a person's contact."""
    if principal.role is None:
        return frozenset({"cause", "class"})
    return FIELD_CLASSES_OF_ROLE[principal.role]
