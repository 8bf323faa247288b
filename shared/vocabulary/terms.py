"""The words all three services speak, each with its Chinese name (`.zh`)."""

from enum import StrEnum


class Term(StrEnum):
    """A word of the field: its value is the stable code, `zh` what people call it."""

    zh: str

    def __new__(cls, code: str, zh: str = "") -> "Term":
        member = str.__new__(cls, code)
        member._value_ = code
        member.zh = zh
        return member


class BaseGroup(Term):
    """Whether the household was once on the poverty register (户类型)."""

    LIFTED_OUT = "lifted_out", "脱贫户"
    GENERAL = "general", "一般农户"


class RiskClass(Term):
    """The three monitored classes (三类户, 中农组发〔2021〕7号); other regimes bring their own codes as data."""

    UNSTABLE_LIFTED_OUT = "unstable_lifted_out", "脱贫不稳定户"
    MARGINAL_AT_RISK = "marginal_at_risk", "边缘易致贫户"
    SUDDEN_HARDSHIP = "sudden_hardship", "突发严重困难户"


class Severity(Term):
    """How urgent a finding is (预警等级)."""

    RED = "red", "红色"
    ORANGE = "orange", "橙色"
    YELLOW = "yellow", "黄色"
    BLUE = "blue", "蓝色"

    @property
    def rank(self) -> int:
        """4 for red down to 1 for blue."""
        return 4 - list(type(self)).index(self)


class Cause(Term):
    """Why a household is at risk (致贫返贫风险)."""

    ILLNESS = "illness", "因病"
    DISABILITY = "disability", "因残"
    DISASTER = "disaster", "因自然灾害"
    ACCIDENT = "accident", "因意外事故"
    SCHOOLING = "schooling", "因学"
    LABOUR_SHORTAGE = "labour_shortage", "因缺劳动力"
    JOB_INSTABILITY = "job_instability", "因务工就业不稳"
    BUSINESS_FAILURE = "business_failure", "因产业失败"
    HOUSING = "housing", "因安全住房"
    WATER = "water", "因安全饮水"
    OTHER = "other", "其他"


class Role(Term):
    """The post a person holds."""

    GRID_WORKER = "grid_worker", "网格员"
    VILLAGE_SECRETARY = "village_secretary", "村党支部书记"
    FIRST_SECRETARY = "first_secretary", "驻村第一书记"
    VILLAGE_CADRE = "village_cadre", "包村干部"
    TOWNSHIP_DEPUTY = "township_deputy", "乡镇分管领导"
    TOWNSHIP_LEADER = "township_leader", "乡镇长"
    COUNTY_ADMIN = "county_admin", "县级管理员"
    LIAISON = "liaison", "部门联络员"
    AUDITOR = "auditor", "审计员"


class Outcome(Term):
    """What the visit found (核实结果); cannot-reach and hand-over are steps, not outcomes."""

    IDENTIFY = "identify", "建议纳入监测"
    NEED_MET = "need_met", "困难已解决"
    ALREADY_MONITORED = "already_monitored", "已在监测"
    NO_RISK = "no_risk", "无返贫致贫风险"
    DATA_WRONG = "data_wrong", "数据有误"
    MOVED = "moved", "已迁出"
    DECEASED = "deceased", "已死亡"


class Source(Term):
    """By which route a fact came (发现渠道)."""

    DEPARTMENT = "department", "部门筛查预警"
    VISIT = "visit", "干部走访排查"
    SELF_REPORT = "self_report", "农户自主申报"
    HOTLINE = "hotline", "热线"


class Visit(Term):
    """The kind of medical visit (就诊类别)."""

    INPATIENT = "inpatient", "住院"
    OUTPATIENT = "outpatient", "门诊"
    CHRONIC_OUTPATIENT = "chronic_outpatient", "门诊慢特病"


class Hardship(Term):
    """What a household says happened (困难情形)."""

    ILLNESS = "illness", "生病"
    DISASTER = "disaster", "受灾"
    ACCIDENT = "accident", "意外事故"
    JOB_LOSS = "job_loss", "失业或收入减少"
    SCHOOLING = "schooling", "上学困难"
    DISABILITY = "disability", "残疾"
    HOUSING = "housing", "住房问题"
    WATER = "water", "饮水问题"
    OTHER = "other", "其他"
