"""What texts of a language are made of beyond ASCII, and how much of some bytes is that when read in a code page.

The lists hold what is common in texts, and in names of firms, persons and places. They are not whole alphabets of
thousands of signs: bytes read in a wrong Eastern code page become signs of its alphabet as well, but rare ones.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

_SIMPLIFIED = """
的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当
没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物
手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认
条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则
听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运商销经店客户单编号称
订货价格额数量日期城姓业团部职备注华京州江苏浙广深圳武汉成都重庆津河湖川陕安徽福建云贵宁夏青藏疆蒙辽吉林黑龙沈阳连岛杭厦沙郑昆兰哈尔滨石庄
李王张刘陈杨赵黄周吴徐孙胡朱高林何郭罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范石姚谭廖邹熊陆郝孔白
崔康毛邱秦史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文刚强伟芳娜敏静丽军杰娟涛艳勇霞秀平桂英玉兰红梅春雪鹏飞鑫晶淼昊宇欣怡佳琪浩轩梓涵
有限责任公司股份集团贸易实业科技服饰用品器械汽车配件体育运动户外鞋帽专卖旗舰商场百货超市购物广场中心分总代理经销批发零售网店仓库街镇县省村栋楼室层
加急退款赠送无线线车牌型号规格款颜色尺码含税未税折扣金元角佣提成奖励考核培训认证评审客户满意绩效目标完成率季度月份审批通过
"""

_TRADITIONAL = """
的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作里用道行所然家種事成方多經麼去法學如都同現當
沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩高間由問很最重並物
手應戰向頭文體政美相見被利什二等產或新己制身果加西斯月話合回特代內信表化老給世位次度門任常先海通教兒原東聲提立及比員解水名真論處走義各入幾口認
條平系氣題活爾更別打女變四神總何電數安少報才結反受目太量再感建務做接必場件計管期市直德資命山金指克許統區保至隊形社便空決治展馬科司五基眼書非則
華台臺灣北高雄中南新竹桃園嘉義屏東宜蘭花蓮基隆香港九龍澳門縣市區路街號樓巷弄段鄉鎮里
有限公司股份企業貿易商行經銷總代理店門市實業工業電子科技用品器材服飾運動體育戶外登山車鞋帽百貨編號名稱客戶訂單數量金額日期價格備註業務員部門倉庫
陳林黃張李王吳劉蔡楊許鄭謝郭洪曾邱廖賴徐周葉蘇莊江呂何羅高蕭潘簡朱鍾彭游詹胡施沈余趙盧梁顏柯孫魏翁戴范方宋鄧杜傅侯曹薛丁卓馬阮董唐溫藍石蔣田康
志明淑芬美玲雅婷家豪俊傑怡君佳穎建宏麗華惠春
"""

_KOREAN = """
이다는에의을를가은하고한지도로서기사시리어자아나대인스그전수정만라일부들해제적구여원상성주보동면조있것장년게우니공무유과연마치소경진오물신으생안위
역교학관할된요되모문영분국방선세와내미실간중발비였계심개회행단바통입남명양습민러음식체속르드트저재거외차반결합야운두제히포용말처현당요작불서울산복
각터금권군높물점강호김박최임윤송노류배허곽북광포천익길목편산품업체점판매처고객번호름이날짜금액수량지역직원담당자코드명칭주식회사상사무역유통스포츠아웃
웃도어매장백화센터본점강남종로광주대구인전울세창수원성남평택청춘제주순여포항경북충충전라평안함황해철영희숙순자민준서연지우현수진혁호빈훈석규태환
미은혜경란옥복례엄한홍권황안송류전고문손양배조백허남심노정하곽성차주우구신라임민유진지엄채원천방공현함변염석선설마길위표명기반왕금옥육인맹제모
탁국어등록일련비고취급없음있음및또는월화목토완료취소반품할인세금총계합계
"""

_KANJI = """
日一国会人年大十二本中長出三同時政事自行社見月分議後前民生連五発間対上部東者党地合市業内相方四定今回新場金員九入選立開手米力学問高代明実円関決
子動京全目表戦経通外最言氏現理調体化田当八六約主題下首意法不来作性的要用制治度務強気小七成期公野協取都和統以機平総加山思家話世受区領多県続進正安
設保改数記院女初北午指権心界支第産結百派点教報済書府活原先共得解名交資予川向際査勝面委告軍文反元重近千考判認画海参売利組知案道信策集在件団別物側
任引使求所次水半品昨論計死官増係感特情投示変打男基私各始島直両朝革価式確村提運終挙果西勢減台広容必応演電歳住争談能無再位置企真流格有疑口過局少放
税検藤町常校料沢裁状工建語球営空職証土与急止送援供可役構木割聞身費付施切由説転食比難防補車優夫研収断井何南石足違消境神番規術護展態導鮮備宅害配副
算視条幹独警宮究育席輸訪楽起万着乗店述残想線率病農州武声質念待試族象銀域助労例衛然早張映限親額監環験追審商葉義伝働形景落欧担好退準賞訴辺造英被株
頭技低毎医復仕去姿味負閣韓渡失移差衆個門写評課末守若脳極種美岡影命含福蔵量望松非撃佐核観察整段横融型白深字答夜製票況音申様財港識注呼渉達販客名前
鈴木高橋渡辺伊藤山本中村小林加藤吉田佐々木山口松本井上斎藤清水森池橋阿部石川前田小川岡田後藤長谷川石井村上近藤坂本遠藤青木藤井西村福田太田三浦藤原
岡本松田中川中野原田小野竹内田村金子和田中山石田上田森田柴田酒井宮崎横浜大阪神戸京都名古屋札幌仙台広島福岡支店株式会社有限代理販売卸小売太郎次花子
"""

# Of hundreds of common signs half are many. Letters are few, and most of them fit by chance.
_HALF, _MOST = 0.5, 0.75

_KANA = "".join(map(chr, (*range(0x3041, 0x3094), *range(0x30A1, 0x30F7), 0x30FC)))

_EASTERN_SIGNS = "，。、；：？！（）《》〈〉【】「」『』“”‘’—…·・　"

# Words of alphabets that share no letter with ours: small letters behind a capital or none, or capitals alone.
_RUSSIAN = re.compile(r"(?<!\w)(?:[А-ЯЁЄІЇЎЈЉЊЋЏҐ]?[а-яёєіїўјљњћџґ]{2,}|[А-ЯЁЄІЇҐ]{3,})(?!\w)")

_GREEK = re.compile(r"(?<!\w)(?:[Α-ΫΆΈ-Ώ]?[ά-ώΐΰ]{2,}|[Α-ΫΆΈ-Ώ]{3,})(?!\w)")

_WESTERN = {
    "German": "äöüß",
    "French": "àâæçéèêëîïôœùûüÿ",
    "Spanish": "áéíñóúü¡¿ªº",
    "Portuguese": "ãõáàâçéêíóôúüªº",
    "Italian": "àèéìòùîº",
    "Dutch": "áéíóúëïèöüç",
    "Catalan": "àçèéíïòóúü·",
    "Nordic": "åäöæøéü",
    "Icelandic": "áðéíóúýþæö",
}

_CENTRAL = {
    "Polish": "ąćęłńóśźż",
    "Czech": "áčďéěíňóřšťúůýž",
    "Slovak": "áäčďéíĺľňóôŕšťúýž",
    "Hungarian": "áéíóöőúüű",
    "Croatian": "čćđšž",
    "Romanian": "ăâîşţ",
    "German": "äöüß",
}

# Which other code pages bytes are held against, with what is told of them: Eastern, of other alphabets, Latin.
_EASTERN = {
    "gb18030": ("Chinese", _SIMPLIFIED + _TRADITIONAL),
    "big5": ("traditional Chinese", _TRADITIONAL),
    "cp949": ("Korean", _KOREAN),
    "cp932": ("Japanese", _KANA + _KANJI),
    "euc_jp": ("Japanese", _KANA + _KANJI),
}

_WORD_PAGES = {
    **dict.fromkeys(("cp1251", "koi8-r", "iso8859-5", "cp866"), ("Russian", _RUSSIAN)),
    **dict.fromkeys(("cp1253", "iso8859-7"), ("Greek", _GREEK)),
}

_LATIN_PAGES = {
    "cp1252": _WESTERN,
    "cp1250": _CENTRAL,
    "iso8859-2": _CENTRAL,
    "cp1254": {"Turkish": "çğıöşüâî"},
    "cp850": _WESTERN,
    "mac_roman": _WESTERN,
}

# Other names of the code pages, or parts of them.
_SAME = {
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "cp950": "big5",
    "big5hkscs": "big5",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "iso8859-1": "cp1252",
    "iso8859-15": "cp1252",
    "koi8-u": "koi8-r",
    "iso8859-9": "cp1254",
}

# Signs of units and money, in the Western code pages and the Turkish one: m³, µm, £5. In others they are letters.
_UNITS = re.compile(
    rb"(?<![A-Za-z\x80-\xff])(?:[A-Za-z]?m|ft|in|yd|s)[\xb2\xb3](?![A-Za-z\x80-\xff])"
    rb"|(?<![A-Za-z\x80-\xff])[\xa3\xa5\xb2\xb3\xb9\xbc-\xbe]{1,2}(?![A-Za-z\x80-\xff])"
    rb"|(?<![A-Za-z\x80-\xff])\xb5[AFHLSVWglms](?![A-Za-z\x80-\xff])"
)

_SETS = {page: frozenset(signs + _EASTERN_SIGNS) - set("\n") for page, (_, signs) in _EASTERN.items()}


@dataclass(frozen=True)
class Reading:
    """How much of a sample is text of one language when it is read in a code page.

    Attributes:
        page: Python's name of the code page.
        language: The language.
        common: Number of characters that are common in it.
        among: Number of characters beyond ASCII; of a Latin page its letters and what stands between letters.
    """

    page: str
    language: str
    common: int
    among: int

    @property
    def share(self) -> float:
        """From 0 to 1; 0 where there are none."""
        return self.common / self.among if self.among else 0.0

    def __str__(self) -> str:
        return f"{self.share * 100:.0f} % common in {self.language} as {self.page}"


def page_of(codec: str) -> str | None:
    """The code page that stands here for a codec; None where there is none."""
    page = _SAME.get(codec, codec)
    return page if page in _EASTERN or page in _WORD_PAGES or page in _LATIN_PAGES else None


def reading(sample: bytes, page: str) -> Reading:
    """How a sample reads in one of the code pages that `page_of` gives."""
    text = sample.decode(page, errors="replace")
    if page in _EASTERN:
        signs = Counter(re.findall(r"[^\x00-\x7f]", text))
        common = sum(signs[sign] for sign in signs.keys() & _SETS[page])
        return Reading(page, _EASTERN[page][0], common, signs.total())
    if page in _WORD_PAGES:
        language, words = _WORD_PAGES[page]
        beyond = sum(not sign.isascii() for sign in text)
        return Reading(page, language, sum(map(len, words.findall(text))), beyond)
    letters = _letters(text, 2 if _LATIN_PAGES[page] is _WESTERN else 4)
    fitting = {name: sum(letters[sign] for sign in alphabet) for name, alphabet in _LATIN_PAGES[page].items()}
    best = max(fitting, key=lambda name: fitting[name])
    return Reading(page, best, fitting[best], letters.total())


def rival(sample: bytes, page: str, least: int = 4) -> Reading | None:
    """The other code page in which most of a sample is common text, and more than twice as much as in ``page``.

    Of two Latin pages the one wins in which the letters that differ are those of one language, and all the letters
    more so than in the other.

    Args:
        least: Common characters that are enough to tell. Letters tell less than signs of thousands, and twice as
            many are asked for, but not between two Latin pages.
    """
    if page in ("cp1252", "cp1254"):
        sample = _UNITS.sub(b"", sample)
    own = reading(sample, page)
    if page in _LATIN_PAGES and not own.among:
        return None  # signs like the euro's tell no language
    found = []
    for other in (*_EASTERN, *_WORD_PAGES, *_LATIN_PAGES):
        seen = reading(sample, other)
        both_latin = page in _LATIN_PAGES and other in _LATIN_PAGES
        if other == page or seen.common < least * (1 if both_latin or other in _EASTERN else 2):
            continue
        if both_latin:
            if seen.share > own.share and _of_differing(sample, page, other, seen.language) >= _MOST:
                found.append(seen)
        elif seen.share > 2 * own.share and seen.share >= (_HALF if other in _EASTERN else _MOST):
            found.append(seen)
    return max(found, key=lambda seen: seen.share, default=None)


def _letters(text: str, in_a_row: int) -> Counter[str]:
    """Letters beyond ASCII, in lower case; as U+FFFD those that stand as in no word: signs between letters, capitals
    behind small letters, more letters in a row than the languages have, or several beside no plain one."""
    found = Counter(sign.lower() for sign in re.findall(r"[^\W\d_a-zA-Z]", text))
    amid = re.findall(r"(?<=[a-zà-öø-ÿ])[À-ÖØ-Þ]", text)
    letter = r"[^\W\d_a-zA-Z]"
    crowd = re.findall(rf"{letter}{{{in_a_row + 1},}}|(?<![^\W\d_]){letter}{{2,}}(?![^\W\d_])", text)
    misfits = [*amid, *"".join(crowd)]
    for sign in misfits:
        found[sign.lower()] -= 1
    inside = re.findall(r"(?<=[^\W\d_])[^\w\s\x00-\x7f’–—·](?=[^\W\d_])", text)
    found["\ufffd"] += len(misfits) + len(inside) + text.count("\ufffd")
    return found


def _of_differing(sample: bytes, page: str, other: str, language: str) -> float:
    """Share of the letters that differ between two Latin pages which in the other one are those of the language."""
    alphabet = _LATIN_PAGES[other][language]
    fitting = total = 0
    for code, count in Counter(re.findall(rb"[\x80-\xff]", sample)).items():
        ours, theirs = (code.decode(name, errors="replace") for name in (page, other))
        if ours != theirs and (ours.isalpha() or theirs.isalpha()):
            total += count
            fitting += count * (theirs.lower() in alphabet)
    return fitting / total if total else 0.0
