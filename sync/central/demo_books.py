"""Invented titles and authors for the sample library: real-looking Traditional Chinese, none of them a real book."""

from random import Random

_PLACES = (
    "淡水",
    "鹿港",
    "花東",
    "澎湖",
    "台南",
    "基隆",
    "埔里",
    "美濃",
    "阿里山",
    "北投",
    "旗津",
    "大稻埕",
    "恆春",
    "關西",
)
_THINGS = (
    "老街",
    "鐵道",
    "茶園",
    "燈塔",
    "廟口",
    "港灣",
    "山徑",
    "溪流",
    "眷村",
    "漁村",
    "稻田",
    "書店",
    "市場",
    "天橋",
)
_MOODS = ("記事", "散步", "筆記", "手繪", "物語", "時光", "地圖", "風景", "故事", "日常", "四季", "漫遊")
_SUBJECTS = (
    "統計學", "昆蟲", "星空", "木工", "烘焙", "攝影", "陶藝", "園藝", "程式設計", "台灣史", "心理學", "經濟學",
    "海洋", "雲朵", "岩石", "植物", "鳥類", "天氣", "數學", "物理", "書法", "水彩", "圍棋", "登山",
)  # fmt: skip
_FRAMES = (
    "{}入門", "圖解{}", "給孩子的{}", "{}一百問", "{}的第一堂課", "從零開始學{}", "{}小百科", "看得懂的{}", "{}基礎與應用",
    "週末學{}", "{}觀察手冊",
)  # fmt: skip
_HEROES = ("小熊", "阿嬤", "狐狸先生", "月亮", "雨傘", "郵差", "烏龜", "貓頭鷹", "小火車", "麵包師傅", "魚鷹", "蒲公英")
_DEEDS = ("的旅行", "不見了", "睡不著", "找朋友", "的生日", "學寫信", "過冬天", "去上學", "的祕密", "開店了", "看海去")
_SURNAMES = "王林陳張李黃吳劉蔡楊許鄭謝郭洪曾邱廖賴周"
_GIVEN = ("文樵", "若溪", "以安", "書恆", "念青", "柏舟", "映雪", "子墨", "芳齡", "立言", "海音樓", "望山")
_RARE_AUTHORS = ("游錫堃", "吳喆", "陳峯", "林珉", "許綉娟", "鄭煊", "張𣳝")
_RARE_TITLES = ("堃伯的菜園", "喆的數學課", "峯頂的雲", "珉與玉的故事", "綉花鞋的祕密", "煊爺爺的燈籠", "𣳝水之畔")


def make_book(random: Random, number: int) -> tuple[str, str]:
    """Title and author of book `number`; a few carry characters that plain Big5 lacks."""
    author = random.choice(_SURNAMES) + random.choice(_GIVEN)
    if number % 97 == 0:
        return _RARE_TITLES[number // 97 % len(_RARE_TITLES)], author
    if number % 53 == 0:
        author = _RARE_AUTHORS[number // 53 % len(_RARE_AUTHORS)]
    match random.randrange(4):
        case 0:
            title = random.choice(_PLACES) + random.choice(_THINGS) + random.choice(_MOODS)
        case 1 | 2:
            title = random.choice(_FRAMES).format(random.choice(_SUBJECTS))
        case _:
            title = random.choice(_HEROES) + random.choice(_DEEDS)
    if number % 7 == 0:
        title += random.choice(("（新版）", "（上）", "（下）", "：三十篇短文", "：寫給初學者"))
    return title, author
