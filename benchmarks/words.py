"""Words, tags and users of the assets of a benchmark, with their shares."""

# Each is in two of twenty words of a row, that is in 10 % of the rows.
COMMON_WORDS = (
    "sunlit", "copper", "gravel", "thistle", "monsoon", "brocade", "falcon", "glacier", "hazelnut", "jubilee",
    "lagoon", "mulberry", "nocturne", "obsidian", "parchment", "quartz", "sapphire", "tundra", "whisper", "zephyr",
)  # fmt: skip
RARE_WORDS = tuple(f"needle{number:02d}" for number in range(50))
RARE_ROWS = 40  # of each rare word, whatever the number of assets
WORD_IN_MOST = "asset"  # in each description except those of songs: 98 %
WORD_IN_ELEVENTH = "neon"  # one of eleven moods: 9 %; with a common word 0.9 %
RARE_PAIR = "xq"  # in the rows of the first rare word
COMMON_PAIR = "vj"  # in 15 % of the rows
WIDE_TAG, NARROW_TAG = "wide-tag", "narrow-tag"  # 18 % and 0.02 %
USERS = ("mira@studio.demo", "theo@studio.demo", "ines@studio.demo", "jonas@studio.demo")  # 25 % each
