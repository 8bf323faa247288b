"""How a member stands to the head of the household (与户主关系): the code list of the national system."""

HEAD = "户主"
OTHER = "其他"
# fmt: off
RELATIONS = (
    "户主", "配偶", "之子", "之女", "之儿媳", "之女婿", "之孙子", "之孙女",
    "之外孙子", "之外孙女", "之父", "之母", "之岳父", "之岳母", "之公公", "之婆婆",
    "之祖父", "之祖母", "之外祖父", "之外祖母", "之兄弟姐妹", "之曾孙子", "之曾孙女", "之侄儿",
    "之侄女", "之兄弟媳妇", "之叔伯", "其他",
)
# fmt: on
