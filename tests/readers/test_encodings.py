"""Which encoding a file is in: detected and stated with its confidence, and never wrong in silence."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from dealermart.base import DataError
from dealermart.config import FileSpec
from dealermart.readers import damage
from dealermart.readers.encodings import ENOUGH, detect

CHINESE = "单据号,客户,日期\n" + "".join(f"A{n},华东经销商{n}号,2026年3月{n}日\n" for n in range(1, 9))
NAMES = "工号,姓名\n1,张鑫\n2,李淼\n3,王晶\n4,赵刚\n5,欧阳昊\n"
GERMAN = "Belegnummer;Währung;Kunde\n1;EUR;Müller GmbH\n2;EUR;Größe & Söhne KG\n"
FRENCH = "id;ville\n1;Besançon\n2;« Café » – crème brûlée\n3;l’été “J’ai mangé”…\n"
PORTUGUESE = "id;nome\n1;São João\n2;Conceição\n3;ação não\n"
EURO = "id;preis\n1;5 €\n2;20 °C\n"


def found(tmp_path: Path, text: str, encoding: str, *candidates: str) -> tuple[str, int]:
    path = tmp_path / "payload"
    path.write_bytes(text.encode(encoding))
    one, told = detect(path, candidates) if candidates else detect(path)
    assert told
    assert one.confidence is not None
    return one.name, one.confidence


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        pytest.param(CHINESE, "utf-8", ("utf-8", 99), id="UTF-8, Chinese"),
        pytest.param(CHINESE, "utf-8-sig", ("utf-8", 100), id="UTF-8 with BOM"),
        pytest.param(GERMAN, "utf-8", ("utf-8", 99), id="UTF-8, Western"),
        pytest.param("a;b\n1;Müller\n", "utf-8", ("utf-8", 90), id="UTF-8, one letter"),
        pytest.param("a,b\n1,2\n", "ascii", ("utf-8", 100), id="ASCII"),
        pytest.param(CHINESE, "utf-16", ("utf-16", 100), id="UTF-16 with BOM"),
        pytest.param(CHINESE, "utf-16-le", ("utf-16-le", 100), id="UTF-16 LE without BOM"),
        pytest.param(CHINESE, "utf-16-be", ("utf-16-be", 100), id="UTF-16 BE without BOM"),
        pytest.param(GERMAN, "utf-16-be", ("utf-16-be", 100), id="UTF-16 BE, Western"),
        pytest.param(CHINESE, "gb18030", ("gb18030", 100), id="GB18030"),
        pytest.param("编号,名称\n1,经销商\n", "gbk", ("gb18030", 100), id="GBK, short"),
        pytest.param("id,city\n1,Paris\n2,北京\n3,Rome\n", "gb18030", ("gb18030", 100), id="GBK, one value"),
        pytest.param(GERMAN, "cp1252", ("cp1252", 100), id="cp1252, German"),
        # 15 of 16: an accented letter behind an apostrophe does not count.
        pytest.param(FRENCH, "cp1252", ("cp1252", 93), id="cp1252, French with quotes"),
        pytest.param(EURO, "cp1252", ("cp1252", 100), id="cp1252, signs"),
    ],
)
def test_detected(tmp_path: Path, text: str, encoding: str, expected: tuple[str, int]) -> None:
    assert found(tmp_path, text, encoding) == expected


@pytest.mark.parametrize(
    ("text", "encoding", "name"), [(NAMES, "gb18030", "gb18030"), (PORTUGUESE, "cp1252", "cp1252")]
)
def test_detected_with_less_than_full_confidence(tmp_path: Path, text: str, encoding: str, name: str) -> None:
    one, confidence = found(tmp_path, text, encoding)
    assert one == name
    assert ENOUGH <= confidence <= 100


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        pytest.param("編號,名稱\n1,經銷商\n2,臺灣總代理\n", "big5", id="Big5"),
        pytest.param("番号,名前\n1,東京の販売店\n2,カタカナ\n", "shift_jis", id="Shift JIS"),
        pytest.param("id;имя\n1;Москва\n2;Иванов\n", "cp1251", id="cp1251"),
        pytest.param("id;nazwa\n1;Łódź\n2;Święty Paweł\n3;żółć\n", "cp1250", id="cp1250, Polish"),
        pytest.param("id;ville\n1;Besançon\n2;crème brûlée\n", "mac_roman", id="Mac Roman"),
        pytest.param("id;ville\n1;Besançon\n2;crème brûlée\n", "cp850", id="cp850"),
        pytest.param("a,b\n1,茅\n", "gb18030", id="茅 in GBK is é in UTF-8"),
        pytest.param("a,b\n1,A区\n2,B区\n", "gb18030", id="one Hanzi beside letters"),
    ],
)
def test_not_sure_enough(tmp_path: Path, text: str, encoding: str) -> None:
    assert found(tmp_path, text, encoding)[1] < ENOUGH


def test_candidates_decide_where_the_text_does_not(tmp_path: Path) -> None:
    assert found(tmp_path, "编号,名称\n1,張鑫淼\n", "gb18030")[1] < 100
    assert found(tmp_path, "a,b\n1,經銷商\n", "gb18030", "utf-8", "gb18030") == ("gb18030", 90)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(CHINESE, name) for name in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030")],
)
def test_reading_with_detection(read, text: str, encoding: str) -> None:
    one = read(text.encode(encoding), encoding="auto")
    assert one.columns == ["单据号", "客户", "日期"]
    assert one.rows[0] == (2, "A1", "华东经销商1号", "2026年3月1日")
    assert one.counts.encoding == (encoding if encoding != "utf-8-sig" else "utf-8")
    assert one.counts.confidence in (99, 100)


def test_detection_in_json_and_json_lines(read) -> None:
    for form in ("json", "jsonl"):
        content = '{"名称": "经销商", "城市": "上海"}\n' if form == "jsonl" else '[{"名称": "经销商", "城市": "上海"}]'
        one = read(content.encode("gb18030"), format=form, encoding="auto")
        assert one.rows == [(1, "经销商", "上海")]
        assert (one.counts.encoding, one.counts.confidence) == ("gb18030", 100)


def test_a_stated_encoding_has_no_confidence(read) -> None:
    counts = read(CHINESE.encode("gb18030"), encoding="gb18030").counts
    assert (counts.encoding, counts.confidence) == ("gb18030", None)


def test_the_rest_of_the_file_must_be_in_it_too(read) -> None:
    """Detection looks at a part; what comes later is held against it strictly."""
    content = CHINESE.encode("gb18030") * 4000 + b"A9,\xff,2026\n"
    with pytest.raises(DataError, match="not text in gb18030") as caught:
        read(content, encoding="auto")
    assert caught.value.where.endswith(f":{9 * 4000 + 1}")


FAULTS = {
    "not sure": ("a,b\n1,茅\n".encode("gb18030"), {"encoding": "auto"}, "likeliest is utf-8, 60 % sure where 75 % are needed"),
    "GBK said to be cp1252": (CHINESE.encode("gb18030"), {"encoding": "cp1252"}, "the source profile says cp1252, the bytes look like gb18030"),
    "GBK said to be latin-1": (CHINESE.encode("gb18030"), {"encoding": "latin-1"}, "the bytes look like gb18030"),
    "cp1252 said to be GBK": (GERMAN.encode("cp1252"), {"encoding": "gbk", "delimiter": ";"}, "the bytes look like cp1252"),
    "UTF-8 said to be GBK": (("x,y\n" + "甲乙丙丁\n" * 2).encode(), {"encoding": "gb18030"}, "the bytes look like utf-8"),
    "UTF-8 said to be cp1252": (GERMAN.encode(), {"encoding": "cp1252", "delimiter": ";"}, "the bytes look like utf-8"),
    "UTF-16 said to be GBK": (CHINESE.encode("utf-16-le"), {"encoding": "gb18030"}, ""),
    "UTF-8 said to be UTF-16": (CHINESE.encode(), {"encoding": "utf-16"}, "the order cannot be told"),
    "Big5 said to be UTF-8": (CHINESE.encode("big5", errors="ignore"), {}, "not text in utf-8"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "spec", "what"), FAULTS.values(), ids=FAULTS.keys())
def test_a_wrong_encoding_is_refused(read, content: bytes, spec: dict[str, str], what: str) -> None:
    with pytest.raises(DataError) as caught:
        read(content, **spec)
    assert what in caught.value.what
    assert "encoding" in caught.value.mend
    assert "经销" not in str(caught.value)


def test_utf16_without_a_mark_is_read_in_its_own_order(read) -> None:
    assert read(CHINESE.encode("utf-16-be"), encoding="utf-16").rows[0][1] == "A1"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("Caf\ufffd", "a character was lost or cut in half before the file was sent (U+FFFD)"),
        ("Caf\x82", "control characters that no text has: the encoding is not the one it was read in"),
        ("CafÃ©", "text that somebody decoded in the wrong encoding and saved like that"),
        ("20Â°C", "text that somebody decoded in the wrong encoding and saved like that"),
        ("Müller â€“ SÃ¶hne", "text that somebody decoded in the wrong encoding and saved like that"),
        ("经销商".encode().decode("cp1252", errors="replace").replace("\ufffd", "\x9d"), "text that somebody decoded in the wrong encoding and saved like that"),
        ("上海".encode().decode("latin-1"), "text that somebody decoded in the wrong encoding and saved like that"),
        ("北京经销商".encode("gbk").decode("latin-1"), "text that somebody decoded in the wrong encoding and saved like that"),
        ("锟斤拷", "text that somebody decoded in the wrong encoding and saved like that"),
    ],
)  # fmt: skip
def test_damaged_text_is_told(read, value: str, reason: str) -> None:
    assert damage.reason(value) == reason
    assert damage.reason(f"x {value}") is not None
    assert damage.suspect(f"a,b\n2,{value}\n".encode())
    assert read(f"a,b\n1,x\n2,{value}\n".encode()).counts.suspect


@pytest.mark.parametrize(
    "value",
    ["«CAFÉ»", "« été »", "“J’ai mangé’”", "São João", "ÄÖÜ", "naïve – “così”", "Ångström", "ação", "北京", "¿Qué? ¡Sí!", "5 µm ± 2 °C", "Ünlü", "È l’età", "L’Été…", "Σίγμα", "Ё", "①★", "鈥", "€5"],
)  # fmt: skip
def test_text_in_order_is_not_taken_for_damaged(value: str) -> None:
    assert damage.reason(value) is None


def test_most_files_are_not_even_suspect(read) -> None:
    for text in (CHINESE, GERMAN, "a,b\n1,2\n"):
        assert not read(text.encode(), delimiter=";" if text is GERMAN else ",").counts.suspect


@pytest.mark.parametrize("encoding", [["utf-8", "big5"], ["gb18030"], []], ids=["not detectable", "single", "none"])
def test_candidates_that_make_no_sense(encoding: list[str]) -> None:
    with pytest.raises(ValidationError, match=r"candidates|cannot be detected"):
        FileSpec.model_validate({"name": "raw", "pattern": "*", "format": "csv", "encoding": encoding})


# Of each language texts of some length, and some of few or rare characters.
TEXTS = {
    "zh-CN": "门店,备注\n1,北京华联体育用品有限公司\n2,本季度销售额较上年同期增长百分之十二\n3,客户反映鞋底开胶，已换货\n",
    "zh-TW": "編號,備註\n1,高雄戶外用品有限公司\n2,本季營業額比去年同期成長百分之十二\n3,新竹登山器材行\n",
    "ko": "번호,비고\n1,서울 스포츠 강남점\n2,이번 분기 매출은 전년 대비 증가했습니다\n3,빠른 배송 부탁드립니다\n",
    "ja": "番号,備考\n1,東京スポーツ株式会社\n2,今期の売上は前年同期比で増加しました\n3,至急発送をお願いします\n",
    "ru": "код,примечание\n1,Спорттовары Казань\n2,Продажи выросли на двенадцать процентов\n3,АО Восток\n",
    "pl": "id,uwagi\n1,Sprzęt Sportowy Łódź\n2,Proszę o szybką wysyłkę\n3,Sprzedaż wzrosła w Gdańsku\n",
    "de": "Nr,Währung\n1,Müller & Söhne Köln\n2,Bitte für Straßenläufe prüfen\n3,Größe geändert\n",
    "fr": "id,remarque\n1,Éts Lefèvre à Besançon\n2,Merci de livrer après l’été\n3,Forêt de Noël\n",
}
ITS_OWN = {
    "zh-CN": ["gb18030", "gbk", "gb2312"],
    "zh-TW": ["big5", "cp950"],
    "ko": ["euc_kr", "cp949"],
    "ja": ["shift_jis", "cp932", "euc_jp"],
    "ru": ["cp1251", "koi8-r", "iso8859-5", "cp866"],
    "pl": ["cp1250", "iso8859-2"],
    "de": ["cp1252", "latin-1", "cp850", "mac_roman"],
    "fr": ["cp1252", "mac_roman", "cp850"],
}
PAGES = [(language, page) for language, pages in ITS_OWN.items() for page in pages]
SAME = {"gb18030": {"gb18030", "gbk", "gb2312"}, "cp1252": {"cp1252", "latin-1"}}
SAME["auto"] = SAME["gb18030"] | SAME["cp1252"]


def written(language: str, page: str) -> bytes:
    return TEXTS[language].encode(page, errors="ignore")  # an apostrophe of print is not in every page


@pytest.mark.parametrize(("language", "page"), PAGES)
def test_a_language_in_its_own_code_page(read, language: str, page: str) -> None:
    """Stated right it is taken, stated wrong it is refused with the numbers, and ``auto`` is right or says no."""
    content = written(language, page)
    rows = [tuple(line.split(",")) for line in content.decode(page).splitlines()[1:]]
    for stated in (page, "auto", "gb18030", "cp1252"):
        if page in SAME.get(stated, {stated}):
            assert [row[1:] for row in read(content, encoding=stated).rows] == rows, stated
        else:
            with pytest.raises(DataError) as caught:
                read(content, encoding=stated)
            told = f"says {stated}, the bytes look like|not text in {stated}" if stated != "auto" else "cannot be told"
            assert re.search(told, caught.value.what), stated
            assert "not text" in caught.value.what or "%" in caught.value.what


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("司徒雅婷\n诸葛瑾瑜\n慕容嫣然\n令狐冲\n", "gb18030"),
        ("濮阳骞\n爨嘉彧\n亓旻\n仝煜\n逄翊珩\n", "gb18030"),
        ("爨嘉彧\n", "gb18030"),
        ("令狐冲\n", "gb18030"),
        ("茅台\n", "gb18030"),
        ("華東體育用品有限公司\n廣東東莞裝備貿易\n", "gbk"),
        ("5 €\n20 °C\n", "cp1252"),
        ("12 m³\n13 m³\n3 Nm³\n4 m³\n", "cp1252"),
        ("¾ pipe\n2¼ pipe\n1½ pipe\n¼ pipe\n2¾ pipe\n", "latin-1"),
        ("5 µm\n6 µm\n7 µg\n8µF\n", "cp1252"),
        ("£5 José\n£7 Åse\n£9 Nuñez\n£1\n£2\n£3\n¥4\n", "cp1252"),
        ("Müller\nNuñez\nFrançois\nJoão\nØrsted\nŠkoda\nÉva\nCôté\n", "cp1252"),
        ("Þór Guðmundsson\n", "cp1252"),
        ("Pärnu Sõpruse Õun Ülikool\n", "latin-1"),
        ("HÔTEL DE L'ÉTÉ\nGRÖSSE KÄSE\n", "cp1252"),
        ("Müller\nGröße\n", "cp1250"),
        ("남궁민\n탁재훈\n", "cp949"),
        ("齋藤 翔\n小鳥遊 葵\n", "cp932"),
        ("МОСКВА\nУФА\n", "koi8-r"),
    ],
)  # fmt: skip
def test_few_and_rare_characters_stay_what_they_are_said_to_be(read, text: str, page: str) -> None:
    assert [row[1] for row in read(f"a\n{text}".encode(page), encoding=page).rows] == text.splitlines()


@pytest.mark.parametrize(
    ("text", "page", "told"),
    [
        ("O1,서울 스포츠\nO2,부산 아웃도어\n", "euc_kr", "100 % common in Korean as cp949"),
        ("O1,서울\n", "euc_kr", "100 % common in Korean as cp949"),
        ("O1,東京販売株式会社\nO2,鈴木一郎\n", "euc_jp", "common in Japanese as euc_jp"),
        ("O1;Łódź\nO2;Święty Paweł\n", "cp1250", "common in Polish as cp1250"),
        ("O1;Győr\nO2;Szőke, Hűvösvölgy\n", "cp1250", "common in Hungarian as cp1250"),
        ("O1;Şişli Çarşı\nO2;Kadıköy\n", "cp1254", "common in Turkish as cp1254"),
    ],
)  # fmt: skip
def test_detection_knows_that_there_are_other_code_pages(tmp_path: Path, text: str, page: str, told: str) -> None:
    path = tmp_path / "payload"
    path.write_bytes(text.encode(page))
    encoding, evidence = detect(path)
    assert (encoding.confidence or 0) < ENOUGH
    assert told in evidence


def test_candidates_are_held_against_others_as_well(read) -> None:
    with pytest.raises(DataError, match=r"says utf-8 or gb18030, the bytes look like cp949 \(.* % common in Korean"):
        read(written("ko", "cp949"), encoding=["utf-8", "gb18030"])


def test_a_character_that_was_lost_is_not_taken_for_a_cut_one(read) -> None:
    """However many lines have it: the bytes are in their encoding, and each row is judged by itself."""
    for page in ("utf-8", "utf-16", "gb18030"):
        assert [row[1] for row in read("a\nCaf\ufffd\nx\n".encode(page), encoding=page).rows] == ["Caf\ufffd", "x"]


@pytest.mark.parametrize("stated", ["gb18030", "cp1252"])
def test_few_letters_that_are_utf8_are_utf8(read, stated: str) -> None:
    with pytest.raises(DataError, match=f"says {stated}, the bytes look like utf-8"):
        read("a\nMüller\n".encode(), encoding=stated)


def test_private_characters_speak_against_gb18030(read) -> None:
    """Rare names in Big5, of which no list has many; as GB18030 they are 14 characters, one of private use and one common."""
    with pytest.raises(DataError, match="7 % characters of private use, 7 % common in Chinese"):
        read("a\n歐陽妤潔\n司徒皓翔\n詹閔鈞\n簡筱涵\n".encode("big5"), encoding="gb18030")


CUT = "a character was lost or cut in half before the file was sent (U+FFFD)"


@pytest.mark.parametrize(
    ("page", "name"),
    [("gb18030", "广州户外用品有限公司"), ("gbk", "广州户外用品"), ("utf-8", "广州户外用品"), ("utf-8-sig", "广州户外用品"), ("big5", "高雄戶外用品"), ("cp949", "부산 아웃도어"), ("cp932", "東京販売"), ("euc_jp", "東京販売")],
)  # fmt: skip
@pytest.mark.parametrize(
    "after",
    [b",x\n", b'",x\n', b"\r\n", b" ,x\n", b";x\n"],
    ids=["delimiter", "quote", "line end", "blank", "other delimiter"],
)
def test_a_character_cut_in_half_is_that_rows_own(read, page: str, name: str, after: bytes) -> None:
    whole, half = (name.encode(page.removesuffix("-sig"))[:end] for end in (None, -1))
    end = b"\r\n" if after == b"\r\n" else b"\n"
    start = b'"' if after.startswith(b'"') else b""
    delimiter = ";" if after.startswith(b";") else ","
    lines = [b"a,b", b"1," + whole, b"2," + start + half + after.removesuffix(end), b"3," + whole]
    if b"x" in after:
        lines = [line + (b"" if number == 2 else b",x") for number, line in enumerate(lines)]
    content = b"".join(line.replace(b",", delimiter.encode()) + end for line in lines)
    found = read(content, encoding=page, delimiter=delimiter)
    assert [row[2] for row in found.rows] == [name, f"{name[:-1]}\ufffd", name]
    assert damage.reason(found.rows[1][2]) == CUT
    assert found.counts.suspect


@pytest.mark.parametrize("page", ["gb18030", "utf-8"])
def test_cut_characters_in_a_large_file_and_under_auto(read, page: str) -> None:
    """Several pieces are read one by one; the cut characters stand in some of 90,000 rows."""
    good, bad = "A1,华东经销商\n".encode(page), "A2,华东经销商".encode(page)[:-1] + b"\n"
    content = "编号,名称\n".encode(page) + (good * 44_999 + bad) * 2
    found = read(content, encoding="auto")
    assert found.counts.encoding == page
    assert [row[0] for row in found.rows if "\ufffd" in row[2]] == [45_001, 90_001]
    assert len(found.rows) == 90_000


@pytest.mark.parametrize(
    ("content", "page", "line"),
    [
        ("a\nCafé\nAndré\nRené\n".encode("cp1252"), "utf-8", 2),
        (b"".join("a,经销商\n".encode("gbk")[:-2] + b"\n" for _ in range(3)) + "a,经销商\n".encode("gbk") * 2, "gbk", 1),
        (b"a,b\n1,\xff\n" + "2,经销商\n3,经销商\n".encode("gbk"), "gbk", 2),
        ("a,经销商\n".encode() + b"1,caf\xe9s\n", "utf-8", 2),
        ("a,经销商\n经销商\n".encode() + "经销商".encode()[:-1], "utf-8", 3),
        ("a,经销商\n经销商\n".encode("gbk") + "经销商".encode("gbk")[:-1], "gbk", 3),
        ("经销商\n经销商,x\n".encode("utf-16-le")[:-1], "utf-16-le", 2),
        (b"a\n1\x81\n" + "é\nè\n".encode("cp1252"), "cp1252", 2),
    ],
    ids=["Western words that end", "most lines are cut", "no beginning of a character", "letters go on", "file cut off", "GBK file cut off", "UTF-16 file cut off", "one byte each"],
)  # fmt: skip
def test_what_is_no_cut_character_is_another_encoding(read, content: bytes, page: str, line: int) -> None:
    with pytest.raises(DataError, match=f"not text in {page}") as caught:
        read(content, encoding=page, header=False, columns=["a"])
    assert caught.value.where.endswith(f":{line}")
