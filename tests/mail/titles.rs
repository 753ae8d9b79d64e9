//! Ordinary titles, and titles that are difficult to send by email.

use nudge_domain::task::Title;

use crate::blocks::BLOCKS;

/// Characters of a block in one title.
const PER_BLOCK: u32 = 24;

/// Titles that the API accepts unchanged: one for each block of Unicode, and the special ones.
pub(crate) fn all() -> Vec<String> {
    let titles: Vec<String> = BLOCKS
        .iter()
        .filter_map(|&block| of_block(block))
        .chain(special())
        .collect();
    for title in &titles {
        let taken: Title = title.parse().expect("a title");
        assert_eq!(taken.as_str(), title);
    }
    titles
}

/// Characters from all parts of a block, between letters so that none is trimmed; `None` if the block has only control characters.
fn of_block((first, last): (u32, u32)) -> Option<String> {
    let step = ((last - first) / PER_BLOCK).max(1);
    let characters: String = (first..=last)
        .step_by(usize::try_from(step).expect("a small number"))
        .filter(|code| code & 0xfffe != 0xfffe && !(0xfdd0..=0xfdef).contains(code))
        .filter_map(char::from_u32)
        // Line and paragraph separators would end the line.
        .filter(|c| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}'))
        .take(2 * usize::try_from(PER_BLOCK).expect("a small number"))
        .collect();
    (!characters.is_empty()).then(|| format!("x{characters}y"))
}

fn special() -> Vec<String> {
    let mut titles: Vec<String> = [
        // Encoded words: complete, broken and nested.
        "=?UTF-8?B?SGVsbG8=?= world",
        "=?UTF-8?B?SGVsbG8=?=",
        "=?UTF-8?B?SGVsbG8=?= =?UTF-8?B?SGVsbG8=?=",
        "=?utf-8?q?a_b?=",
        "=?UTF-8?Q?=?UTF-8?B?SGVsbG8=?=?=",
        "=?ISO-8859-1?Q?a=E9?= é",
        "=?UTF-8?B?SGVsbG8",
        "=?UTF-8?X?SGVsbG8=?=",
        "=??=",
        "?= =?",
        "a=?UTF-8?B?SGVsbG8=?=b",
        "é=?UTF-8?B?SGVsbG8=?=",
        // Spaces and punctuation.
        "two  spaces   and three",
        "tab-less _under_ score =3D =20",
        "Pay <rent> & \"more\" 'now'; (a, b) [c] {d} \\e/ @f",
        "Re: Fwd: urgent!",
        "50% & 100 %",
        "no\u{a0}break\u{202f}space\u{3000}wide",
        // Scripts, directions and joined characters.
        "שלום עולם (1) abc",
        "مرحبا بالعالم 2026",
        "می\u{200c}خواهم",
        "\u{202e}desrever",
        "\u{2067}open isolate",
        "a\u{202e}b\u{202c}c\u{2066}d\u{2069}",
        "e\u{301}\u{323} o\u{308}\u{304} Z\u{351}\u{36b}\u{343}",
        "👩\u{200d}👩\u{200d}👧\u{200d}👦 👍🏽 🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f} 🇩🇪 1\u{fe0f}\u{20e3}",
        "ภาษาไทย\u{200b}ไม่มีช่องว่าง",
        "नमस्ते दुनिया",
        "한국어 제목",
        "買い物に行く、そして「家」に帰る",
        "soft\u{ad}hyphen \u{feff}bom \u{2060}joiner",
        "\u{10ffff}\u{f0000}\u{e000}",
    ]
    .map(str::to_owned)
    .to_vec();
    // The longest titles, of each number of octets per character, with and without places to fold.
    for character in ["x", "ä", "я", "日", "😀", "=", "_", "?", "\u{301}", "\u{200d}"] {
        titles.push(format!("a{}b", character.repeat(198)));
    }
    for words in ["word ", "Wörter ", "слово ", "words, ", "a=?b ", "= _ ? "] {
        let many: String = words.chars().cycle().take(199).collect();
        titles.push(format!("{}.", many.trim_end()));
    }
    // Lengths around the width of a line.
    for length in 52..72 {
        titles.push("w".repeat(length));
        titles.push(format!("{} {}", "w".repeat(length), "w".repeat(length)));
        titles.push(format!("é{}", "w".repeat(length)));
    }
    titles
}

/// A description with indented lines, spaces, and a line that is longer than an email allows.
pub(crate) fn description(title: &str) -> String {
    format!("{title}\n  - {title}\r\n\n{} {}\nlast", "x".repeat(998), title)
}

/// The lines of it that an email shows.
pub(crate) fn lines(title: &str) -> [String; 4] {
    [
        title.to_owned(),
        format!("  - {title}"),
        format!("{} {title}", "x".repeat(998)),
        "last".to_owned(),
    ]
}
