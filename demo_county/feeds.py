"""The data sets of the other departments (其他部门数据集): who sends which columns, written in which way.

Headers are what each office calls a thing, not what the catalogue calls it; one office saves GB18030, one separates
by tabs, one counts in 万元. They stand in the order in which a county sends them: permission before assets.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from demo_county.files import GB18030, UTF8, UTF8_BOM

Plan = tuple[str, str]


@dataclass(frozen=True, slots=True)
class DepartmentFeed:
    """One file: its data set, sender, columns by name of the cell they take, and what goes wrong in it."""

    data_set: str
    department: str
    columns: tuple[tuple[str, str], ...]
    mistakes: tuple[Plan, ...]
    encoding: str = UTF8
    delimiter: str = ","

    @property
    def file(self) -> str:
        return f"{self.data_set}.csv" if self.delimiter == "," else f"{self.data_set}.tsv"

    @property
    def headers(self) -> tuple[str, ...]:
        return tuple(header for _, header in self.columns)

    @property
    def names_people(self) -> bool:
        """Whether a row is found by an identity number; the others are found by the number of the household."""
        return any(cell == "number" for cell, _ in self.columns)


def _of_people(number: str, *others: Plan) -> tuple[Plan, ...]:
    kinds = ("wrong_check_digit", "scientific_notation_id", "lower_case_x", "fullwidth_id", "unknown_person")
    names = (("blank_required", "姓名"), ("other_name", "姓名"))
    return (*((kind, number) for kind in kinds), *names, *others)


def _of_households(number: str, name: str, *others: Plan) -> tuple[Plan, ...]:
    return (("blank_required", number), ("blank_required", name), *others)


def _columns(told: str) -> tuple[tuple[str, str], ...]:
    """The columns from "cell=header cell=header"."""
    pairs = (pair.partition("=") for pair in told.split())
    return tuple((cell, header) for cell, _, header in pairs)


FEEDS: Sequence[DepartmentFeed] = (
    DepartmentFeed(
        "medical_enrolment",
        "医疗保障",
        _columns("name=姓名 number=身份证号 scheme=险种 status=缴费状态 day=参保日期 division=村代码"),
        _of_people("身份证号", ("bad_code", "缴费状态"), ("impossible_date", "参保日期")),
        GB18030,
    ),
    DepartmentFeed(
        "disease_register",
        "卫生健康",
        _columns("key=管理卡号 name=姓名 number=身份证号码 category=疾病类别 day=确诊日期 division=区划代码"),
        _of_people("身份证号码", ("bad_code", "疾病类别"), ("blank_required", "管理卡号")),
    ),
    DepartmentFeed(
        "school_status",
        "教育",
        _columns(
            "key=学籍号 name=姓名 number=证件号码 stage=学段 status=在校状态 day=入学日期 division=行政区划代码"
        ),
        _of_people("证件号码", ("bad_code", "学段"), ("impossible_date", "入学日期")),
        delimiter="\t",
    ),
    DepartmentFeed(
        "education_cost",
        "教育",
        _columns(
            "key=票据号 name=姓名 number=身份证号 stage=学段 day=收费日期"
            " amount=收费合计 aid=助学金 division=区划代码"
        ),
        _of_people("身份证号", ("excel_thousands", "收费合计"), ("negative_amount", "收费合计")),
        UTF8_BOM,
    ),
    DepartmentFeed(
        "employment",
        "人力资源和社会保障",
        _columns("key=登记编号 name=姓名 number=身份证 day=变动日期 status=就业情况 away=外出务工 division=区划代码"),
        _of_people("身份证", ("bad_code", "就业情况"), ("blank_required", "登记编号")),
    ),
    DepartmentFeed(
        "deaths",
        "公安",
        _columns("key=死亡证明编号 name=姓名 number=公民身份号码 event=登记事项 day=死亡日期 division=区划代码"),
        _of_people("公民身份号码", ("bad_code", "登记事项")),
    ),
    DepartmentFeed(
        "accidents",
        "公安",
        _columns(
            "key=案件编号 name=姓名 number=公民身份号码 type=事故类别 outcome=后果 day=事故日期 division=区划代码"
        ),
        _of_people("公民身份号码", ("bad_code", "后果")),
    ),
    DepartmentFeed(
        "disasters",
        "应急管理",
        _columns(
            "key=灾情记录编号 name=户主 household=农户编号 hazard=灾种 day=受灾日期 damage=房屋损毁"
            " outlay=修缮支出(万元) relief=救灾款(万元) division=村代码"
        ),
        _of_households("灾情记录编号", "户主", ("bad_code", "房屋损毁"), ("negative_amount", "修缮支出(万元)")),
        UTF8_BOM,
    ),
    DepartmentFeed(
        "production_losses",
        "农业农村",
        _columns(
            "key=损失编号 name=户主 household=农户编号 product=种养品种 cause=损失原因 degree=损失程度"
            " day=损失日期 division=村代码"
        ),
        _of_households("种养品种", "户主", ("bad_code", "损失程度")),
    ),
    DepartmentFeed(
        "housing_grades",
        "住房和城乡建设",
        _columns(
            "key=农房编号 name=户主 household=家庭编号 grade=鉴定等级 lived_in=实际居住等级 only=唯一住房"
            " day=评定日期 division=村代码"
        ),
        _of_households("农房编号", "户主", ("bad_code", "鉴定等级"), ("impossible_date", "评定日期")),
    ),
    DepartmentFeed(
        "water_supply",
        "水利",
        _columns(
            "household=家庭编号 name=户主 works=供水工程 litres=人均日水量 minutes=取水时间 guarantee=保证率"
            " ok=水质合格 days=停水天数 day=检测日期 division=村代码"
        ),
        _of_households("检测日期", "户主", ("impossible_date", "检测日期")),
    ),
    DepartmentFeed(
        "microcredit",
        "金融",
        _columns(
            "key=合同编号 name=姓名 number=身份证号 principal=贷款金额 day=放款日期 due=到期日期 balance=结欠余额"
            " late=逾期天数 reported=统计日期"
        ),
        _of_people("身份证号", ("excel_thousands", "贷款金额"), ("negative_amount", "结欠余额")),
    ),
    DepartmentFeed(
        "civil_affairs_list",
        "民政",
        _columns("key=低保证号 name=姓名 number=身份证号码 category=对象类别 day=审批日期 division=村代码"),
        _of_people("身份证号码", ("bad_code", "对象类别"), ("impossible_date", "审批日期")),
    ),
    DepartmentFeed(
        "authorisations",
        "农业农村",
        _columns(
            "key=表单编号 household=农户编号 name=户主 signers=授权人 count=签字人数 scope=授权内容 day=授权日期"
            " until=到期日期 division=村代码"
        ),
        _of_households("表单编号", "户主", ("bad_code", "授权内容"), ("impossible_date", "授权日期")),
    ),
    DepartmentFeed(
        "vehicles",
        "公安",
        _columns("key=车牌号 name=姓名 number=身份证号 purpose=车辆用途 day=注册日期 price=购车价格"),
        _of_people("身份证号", ("bad_code", "车辆用途")),
    ),
    DepartmentFeed(
        "property",
        "自然资源",
        _columns("key=不动产单元号 name=姓名 number=证件号码 nature=房屋类型 day=登记日期"),
        _of_people("证件号码", ("bad_code", "房屋类型")),
    ),
    DepartmentFeed(
        "businesses",
        "市场监管",
        _columns("key=注册号 name=姓名 number=身份证号 type=企业类型 state=经营状态 day=注册日期"),
        _of_people("身份证号", ("bad_code", "经营状态")),
    ),
    DepartmentFeed(
        "monitored_list",
        "乡村振兴",
        _columns(
            "household=农户编号 name=户主 listed=监测类别 day=识别时间 removed=风险是否消除 risk=致贫返贫风险1"
            " division=村代码"
        ),
        _of_households("识别时间", "户主", ("bad_code", "监测类别")),
    ),
    DepartmentFeed(
        "household_visit",
        "农业农村",
        _columns(
            "household=农户编号 name=户主 day=走访日期 visitors=走访人员 food=吃不愁问题 clothes=穿不愁问题"
            " grade=住房安全等级 lived_in=实际居住等级 litres=人均日水量 ok=水质达标 division=村代码"
        ),
        _of_households("走访人员", "户主", ("bad_code", "住房安全等级")),
    ),
    DepartmentFeed(
        "household_visit_general",
        "农业农村",
        _columns(
            "household=农户编号 name=户主 day=核查日期 visitors=走访人员 food=吃不愁问题 clothes=穿不愁问题"
            " grade=住房安全等级 lived_in=实际居住等级 litres=人均日水量 ok=水质达标 trouble=突出困难问题"
            " division=村代码"
        ),
        _of_households("走访人员", "户主", ("bad_code", "住房安全等级")),
    ),
    DepartmentFeed(
        "complaints",
        "信访",
        _columns(
            "key=信访件编号 name=姓名 household=家庭编号 channel=来源 category=诉求类别 day=来电日期"
            " text=反映内容 division=村代码"
        ),
        _of_households("信访件编号", "姓名", ("bad_code", "诉求类别")),
    ),
)
