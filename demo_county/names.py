"""Names as each generation carries them (姓名), made of common characters."""

from demo_county.calibration import Calibration
from demo_county.chance import Chance
from shared.vocabulary.identity_number import Sex

# Characters in order of frequency; the first are drawn more often.
SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
    "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
COHORTS = (1950, 1970, 1990, 2010)
GIVEN: dict[Sex, tuple[tuple[str, str], ...]] = {
    "male": (
        ("国德玉文永福长金万世", "才山林祥贵田明富生海"),
        ("建志国永卫红学保新文", "国军平民华强东明生林"),
        ("志建晓海永俊小立新国", "强伟军磊鹏飞勇涛波辉"),
        ("浩俊嘉文博天宇佳子明", "然杰轩宇豪鑫阳龙凯涛"),
        ("子浩宇梓奕沐一皓俊铭", "涵轩宇泽辰阳睿然博航"),
    ),
    "female": (
        ("秀玉桂淑凤兰素翠金荣", "英珍兰花芝梅莲云香芬"),
        ("秀玉桂淑丽春红爱小海", "英兰珍梅荣华芳霞琴平"),
        ("丽晓海红小春艳亚玉婷", "娜丽霞燕敏静芳娟玲婷"),
        ("婷佳雅欣雨思梦晓慧子", "婷怡欣雪琪颖洁倩涵悦"),
        ("梓雨欣子诗一语可依若", "涵萱彤怡琪诺瑶妍涵汐"),
    ),
}
SINGLE: dict[Sex, tuple[str, ...]] = {
    "male": ("德福山贵才", "军平强明华", "伟磊勇涛鹏", "杰鑫浩宇超", "辰睿泽轩宸"),
    "female": ("英兰珍芝莲", "英梅芳霞萍", "丽娜静敏艳", "婷雪颖洁倩", "萱彤瑶妍汐"),
}
DOTTED_FIRST = ("阿依", "古丽", "买买提", "吐尔逊", "乌兰", "扎西", "卓玛", "阿卜杜拉")
DOTTED_LAST = ("艾山", "热合曼", "巴特尔", "其其格", "次仁", "玉素甫", "依明", "央金")


class Names:
    """Draws names by generation and sex."""

    def __init__(self, calibration: Calibration) -> None:
        self._three_characters = calibration.number("people.three_character_share")
        self._dotted = calibration.number("people.dotted_name_share")

    def surname(self, chance: Chance) -> str:
        """A surname; squaring the draw prefers the frequent ones."""
        return SURNAMES[int(chance.random() ** 2 * len(SURNAMES))]

    def full_name(self, chance: Chance, surname: str, sex: Sex, born: int) -> str:
        """A name of the generation born in the year `born`; a few carry a middle dot instead of a surname."""
        if chance.happens(self._dotted):
            return f"{chance.one_of(DOTTED_FIRST)}·{chance.one_of(DOTTED_LAST)}"
        cohort = sum(born >= start for start in COHORTS)
        if chance.happens(self._three_characters):
            first, second = GIVEN[sex][cohort]
            return surname + chance.one_of(first) + chance.one_of(second)
        return surname + chance.one_of(SINGLE[sex][cohort])
