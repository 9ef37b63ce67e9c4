"""The titles of the songs: of a catalogue in English, and of one like the world's, of whose titles
half are not ASCII. Each ends with the song's number, so that no two are the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

WORDS = (
    "Love Night Dance Blue River Golden Summer Rain Heart Fire Moon Light Dream City Home Road "
    "Wild Stars Sweet Time Lost Girl Boy Baby World Life Song Ocean Shadow Mirror Velvet Electric"
).split()
QUOTED_SHARE = 0.05
# About one song in 20 needs quoting, and a few in a thousand are not ASCII.
QUOTED_SONGS = ("{0}, {1} {2}", '"{0}" {1} {2}')
OTHER_SONGS = ("Canción de {0} {2}", "{0} été {2}", "夜に {1} {2}")


@dataclass(frozen=True)
class Script:
    """What titles in a script look like, and which share of a world's titles are in it."""

    share: float
    patterns: tuple[str, ...]
    words: list[str]


ASCII_SHARE = 0.5
SCRIPTS = (
    # Spanish, Portuguese, French, German, the Nordic languages, Polish, Czech, Turkish, Vietnamese
    Script(
        0.2,
        ("{0} {1} {2}", "{0} (feat. {1}) {2}", "La {0} de {1} {2}"),
        "Canción Corazón Mañana Adiós Última Ilusión Coração Saudade Solidão Não Été Âme Fière "
        "Déjà Forêt Où Über Schön Mädchen Grüße Ängel Sjö Kærlighed Øyeblikk Miłość Życie Říčka "
        "Světlo Güneş Yağmur Tình Đêm".split(),
    ),
    Script(
        0.1,
        ("{0} {1} {2}", "{0} и {1} {2}", "{0} ({1}) {2}"),
        "Ночь Любовь Звезда Дорога Осень Дождь Сердце Небо Море Ветер Город Солнце Зима Весна Лето "
        "Птица Мечта Огонь Река Песня Жизнь Тишина Снег Рассвет Мама Друг Поезд Луна Тень Окно "
        "Їжак Київ".split(),
    ),
    # Chinese and Japanese
    Script(
        0.1,
        ("{0}{1} {2}", "{0}的{1} {2}", "{0}の{1} {2}"),
        "月亮 愛情 夜曲 青花瓷 告白氣球 星空 朋友 春天 雨天 世界 光年之外 再见 远方 海阔天空 小幸运 "
        "桜 恋 夜に駆ける 花火 涙 さよなら ありがとう ひまわり 空 夢 君 メロディー ラブソング ドライブ "
        "東京 紅蓮華 未来".split(),
    ),
    Script(
        0.05,
        ("{0} {1} {2}", "يا {0} {2}", "{0} و{1} {2}"),
        "حبيبي قلبي ليلي نور العين القمر الحياة عيونك السماء البحر الورد أغنية شمس ليل روحي غرام "
        "الدنيا سلام وردة صباح أمل حنين فرح مطر نجوم كلام سهر هوى دمعة بلادي طريق حلم".split(),
    ),
    Script(
        0.025,
        ("{0} {1} {2}", "{0}의 {1} {2}"),
        "사랑 봄날 눈물 하늘 바람 이별 첫눈 별 밤편지 좋은날 너의 노래 기억 꿈 여름 가을 겨울 바다 "
        "그대 안녕".split(),
    ),
    Script(
        0.015,
        ("{0} {1} {2}", "{0} και {1} {2}"),
        "Αγάπη Νύχτα Θάλασσα Καρδιά Ουρανός Φεγγάρι Όνειρο Ήλιος Ζωή Βροχή Τραγούδι Δρόμος".split(),
    ),
    Script(0.01, ("{0}{1} {2}", "Party {0} {2}"), "❤️ 🔥 🌙 ⭐ 🎶 💔 🌊 👩‍🎤 🇧🇷 😎 💃 🌹".split()),
)


def english_title(number: int, dice: float, first: int, second: int) -> str:
    """The title of one song; `dice`, 0 to 1, says of which kind."""
    if dice < QUOTED_SHARE:
        pattern = QUOTED_SONGS[number % len(QUOTED_SONGS)]
    elif dice < QUOTED_SHARE + 0.005:
        pattern = OTHER_SONGS[number % len(OTHER_SONGS)]
    else:
        pattern = "{0} {1} {0} {2}"
    return pattern.format(WORDS[first], WORDS[second], number)


def title_in(script: Script, number: int, dice: float, first: int, second: int) -> str:
    """The same in another script: of as many kinds."""
    patterns = QUOTED_SONGS if dice < QUOTED_SHARE else script.patterns
    words, count = script.words, len(script.words)
    return patterns[number % len(patterns)].format(
        words[first % count], words[second % count], number
    )


def titles(count: int, is_world: bool, seed: int) -> Iterator[str]:
    """The titles of so many songs, the same for the same seed."""
    random = np.random.default_rng(seed)
    dice = random.random(count).tolist()
    first, second = random.integers(0, len(WORDS), (2, count)).tolist()
    if not is_world:
        yield from map(english_title, range(count), dice, first, second)
        return
    bounds = np.cumsum([ASCII_SHARE, *(script.share for script in SCRIPTS[:-1])])
    scripts = np.searchsorted(bounds, random.random(count), side="right").tolist()
    for script, *song in zip(scripts, range(count), dice, first, second, strict=True):
        yield title_in(SCRIPTS[script - 1], *song) if script else english_title(*song)
