"""The Chinese words of worked cases (算例) and what they stand for."""

from collections.abc import Mapping
from typing import Any

STATUS = {"健在": "living", "长期外出": "long_term_away", "去世": "deceased", "服刑": "imprisoned", "失踪": "missing"}
INSURED = {"居民": "resident", "职工": "employee", "未参保": "none"}
GROUPS = {"一般农户": "general", "脱贫户": "lifted_out"}
CLASSES = {
    "脱贫不稳定户": "unstable_lifted_out",
    "边缘易致贫户": "marginal_at_risk",
    "突发严重困难户": "sudden_hardship",
    "防止返贫致贫对象": "at_risk_of_poverty",
    "无": None,
}
SOURCES = {"部门": "department", "走访": "visit", "自报": "self_report", "热线": "hotline"}
HEALTH = {"健康": "healthy", "慢病": "chronic", "大病": "serious"}
LABOUR = {"技能": "skilled", "普通": "ordinary", "弱": "weak", "丧失": "lost", "无": "none"}
STAGES = {
    "学前": "preschool",
    "小学": "primary",
    "初中": "junior",
    "高中": "senior",
    "中职": "vocational",
    "大专": "college",
    "本科": "bachelor",
    "研究生": "graduate",
}
ABSENT = {
    "身体原因": "health",
    "已完成义务教育": "completed_compulsory",
    "本人不愿": "unwilling",
    "家庭贫困": "family_poverty",
    "其他": "other",
}
VISITS = {"住院": "inpatient", "门诊": "outpatient", "慢特病门诊": "chronic_outpatient"}
YES = {"是": True, "否": False}
STATES = {"触发": "fired", "正常": "clear", "未知": "unknown"}
HITS = {"命中": ("fired", False), "豁免": ("fired", True), "没有": ("clear", False), "不详": ("unknown", False)}

KINDS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "工资": ("income.wage", {}),
    "务工成本": ("cost.away_work", {}),
    "经营收入": ("income.business_sales", {}),
    "经营成本": ("cost.production", {}),
    "未售产品": ("stock.unsold_value", {}),
    "未售成本": ("cost.unsold", {}),
    "财产": ("income.property", {}),
    "转移": ("income.transfer_regular", {}),
    "低保金": ("income.transfer_regular", {"scheme": "dibao"}),
    "中央基础养老金": ("income.transfer_regular", {"scheme": "basic_pension_central"}),
    "临时救助": ("income.transfer_one_off", {"scheme": "temporary_relief"}),
    "预期收入": ("income.expected", {}),
    "借款": ("income.loan_principal", {}),
    "征地补偿": ("income.land_compensation", {}),
    "医疗": ("expense.medical", {}),
    "教育": ("expense.education", {}),
    "康复": ("expense.rehabilitation", {}),
    "灾害支出": ("expense.disaster", {}),
    "意外支出": ("expense.accident", {}),
    "财产损失": ("loss.asset", {}),
    "医疗理赔": ("income.insurance_claim", {"for": "medical"}),
    "灾害理赔": ("income.insurance_claim", {"for": "disaster"}),
    "意外理赔": ("income.insurance_claim", {"for": "accident"}),
    "财产理赔": ("income.insurance_claim", {"for": "asset_loss"}),
    "新发大病": ("event.serious_illness", {}),
    "新办残疾证": ("event.disability_certified", {}),
    "意外事故": ("event.accident", {}),
    "受灾": ("event.disaster", {}),
    "房屋受损": ("event.housing_damage", {}),
    "供水中断": ("event.water_failure", {}),
    "失业": ("event.job_loss", {}),
    "降薪": ("event.wage_drop", {}),
    "产业失败": ("event.business_failure", {}),
    "死亡": ("event.death", {}),
    "辍学": ("event.dropout", {}),
    "困难申报": ("event.hardship_report", {}),
    "帮扶措施": ("event.measure", {}),
    "贷款逾期": ("loan.overdue", {}),
    "机动车": ("asset.vehicle", {}),
    "购房": ("asset.dwelling_bought", {}),
    "企业": ("asset.company", {}),
    "存款": ("asset.deposit", {}),
    "残疾证": ("state.disability", {}),
    "低保": ("state.assistance", {}),
}

PURPOSES = {"自用": "private", "营运": "operating", "残疾人专用": "disabled_use"}
DWELLINGS = {"商品房": "commercial", "安置房": "resettlement", "灾后重建": "disaster_rebuild"}
SCOPES = {"机动车": "vehicles", "不动产": "property", "市场主体": "businesses", "存款": "deposits"}
COMPANIES = {"存续": "active", "停业": "dormant", "注销": "cancelled", "吊销": "revoked"}
