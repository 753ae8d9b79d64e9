//! Folds letters for search, by script: differences that people omit or type in several ways are removed, differences between words
//! are kept.
//!
//! Accents of Latin, Greek and Cyrillic letters, Hebrew points and Arabic marks are often omitted in these
//! languages. A vowel sign of Devanagari or Tamil, a tone mark of Thai, the voicing mark of か and が are letters: without them दिन
//! is दान. So marks are removed by script, and kept in scripts that are not listed here. The scripts of marks are
//! from `Scripts.txt` and `extracted/DerivedGeneralCategory.txt` of Unicode 17.0
//! (<https://www.unicode.org/Public/17.0.0/ucd/>); decision 0035 has the reasons.

use nudge_domain::characters::is_default_ignorable;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Separates the parts of a word in Persian; elsewhere it only changes how a word looks.
pub(super) const NON_JOINER: char = '\u{200c}';

/// Ranges of marks that are removed; other characters in these ranges are not marks.
const ACCENTS: [(char, char); 13] = [
    ('\u{300}', '\u{36f}'),   // of any letter: Latin, Greek, Cyrillic
    ('\u{483}', '\u{489}'),   // Cyrillic numbers and titlos
    ('\u{591}', '\u{74a}'),   // Hebrew points, Arabic and Syriac marks
    ('\u{897}', '\u{8ff}'),   // Arabic marks of the Quran and of other languages
    ('\u{951}', '\u{954}'),   // how Vedic texts are recited
    ('\u{1ab0}', '\u{1aff}'), // of any letter: phonetics
    ('\u{1cd0}', '\u{1cfa}'), // how Vedic texts are recited
    ('\u{1dc0}', '\u{1dff}'), // of any letter: phonetics, manuscripts
    ('\u{20d0}', '\u{20ff}'), // of symbols: enclosing circles and keycaps
    ('\u{2de0}', '\u{2dff}'), // Cyrillic letters above a word
    ('\u{302a}', '\u{302d}'), // tones of Han characters
    ('\u{a66f}', '\u{a69f}'), // Cyrillic of manuscripts
    ('\u{fe20}', '\u{fe2f}'), // halves of marks above two letters
];

/// Letters that Unicode decomposes but that are letters of their own in their languages: й, ў (Belarusian), ї (Ukrainian), ѓ and ќ
/// (Macedonian). Not ё, for which Russian prints е.
const CYRILLIC_LETTERS: [(char, char); 5] = [
    ('и', '\u{306}'),
    ('у', '\u{306}'),
    ('і', '\u{308}'),
    ('г', '\u{301}'),
    ('к', '\u{301}'),
];

/// The digits zero of scripts whose digits are mixed with 0 to 9; one to nine follow each.
const ZEROS: [char; 36] = [
    '\u{660}',
    '\u{6f0}',
    '\u{7c0}',
    '\u{966}',
    '\u{9e6}',
    '\u{a66}',
    '\u{ae6}',
    '\u{b66}',
    '\u{be6}',
    '\u{c66}',
    '\u{ce6}',
    '\u{d66}',
    '\u{de6}',
    '\u{e50}',
    '\u{ed0}',
    '\u{f20}',
    '\u{1040}',
    '\u{1090}',
    '\u{17e0}',
    '\u{1810}',
    '\u{1946}',
    '\u{19d0}',
    '\u{1a80}',
    '\u{1a90}',
    '\u{1b50}',
    '\u{1bb0}',
    '\u{1c40}',
    '\u{1c50}',
    '\u{a620}',
    '\u{a8d0}',
    '\u{a900}',
    '\u{a9d0}',
    '\u{a9f0}',
    '\u{aa50}',
    '\u{abf0}',
    '\u{1e950}',
];

/// Folds a text for comparison: compatibility forms, case, accents and other ways to write the same letter make no difference.
/// Letters and the remaining marks are composed, so that a Hangul syllable or が is one character.
pub(super) fn folded(text: &str) -> String {
    let mut letters = String::with_capacity(text.len());
    let mut base = '\0';
    for letter in text.chars().map(combining).nfkd() {
        if letter == NON_JOINER && is_arabic(base) {
            letters.push(letter);
        } else if is_default_ignorable(letter) || letter == TATWEEL {
            // Invisible characters do not separate words.
        } else if !is_combining_mark(letter) {
            base = letter.to_lowercase().next().unwrap_or(letter);
            fold(letter, &mut letters);
        } else if !is_accent(letter) || CYRILLIC_LETTERS.contains(&(base, letter)) {
            letters.push(letter);
        }
    }
    letters.nfc().collect()
}

/// Makes an Arabic word longer.
const TATWEEL: char = '\u{640}';

/// Standalone Japanese voicing marks become combining ones: NFKD would make each a space and a mark.
fn combining(letter: char) -> char {
    match letter {
        '\u{309b}' => '\u{3099}',
        '\u{309c}' => '\u{309a}',
        letter => letter,
    }
}

fn is_accent(mark: char) -> bool {
    ACCENTS
        .iter()
        .any(|(first, last)| (*first..=*last).contains(&mark))
}

fn is_arabic(letter: char) -> bool {
    matches!(letter, '\u{620}'..='\u{6ff}' | '\u{750}'..='\u{77f}' | '\u{870}'..='\u{8ff}')
}

/// A letter in lower case, and in its simplest form if it is written in more than one way.
fn fold(letter: char, word: &mut String) {
    for letter in letter.to_lowercase() {
        match letter {
            // Strokes and ligatures that Unicode does not decompose.
            'ß' => word.push_str("ss"),
            'æ' => word.push_str("ae"),
            'œ' => word.push_str("oe"),
            'þ' => word.push_str("th"),
            'ø' => word.push('o'),
            'ł' => word.push('l'),
            'đ' | 'ð' | 'ɗ' => word.push('d'),
            'ħ' => word.push('h'),
            'ŧ' => word.push('t'),
            'ŋ' => word.push('n'),
            'ɓ' => word.push('b'),
            'ƙ' => word.push('k'),
            'ƴ' => word.push('y'),
            // Turkish ı is typed as i on other keyboards, and I is the capital of both.
            'ı' => word.push('i'),
            // Final sigma.
            'ς' => word.push('σ'),
            'ך' => word.push('כ'),
            'ם' => word.push('מ'),
            'ן' => word.push('נ'),
            'ף' => word.push('פ'),
            'ץ' => word.push('צ'),
            // Yiddish ligatures.
            'װ' => word.push_str("וו"),
            'ױ' => word.push_str("וי"),
            'ײ' => word.push_str("יי"),
            // Arabic, and the keys that Persian and Urdu have for the same letters. Alef, waw and yeh with hamza or madda are
            // decomposed, and those are marks.
            'ٱ' => word.push('ا'),
            'ى' | 'ی' => word.push('ي'),
            'ک' => word.push('ك'),
            'ة' | 'ۃ' | 'ہ' | 'ە' => word.push('ه'),
            // Katakana as hiragana.
            '\u{30a1}'..='\u{30f6}' | '\u{30fd}' => {
                word.extend(char::from_u32(u32::from(letter).saturating_sub(0x60)));
            }
            letter => word.push(digit(letter).unwrap_or(letter)),
        }
    }
}

/// A decimal digit of any script as one of 0 to 9.
fn digit(letter: char) -> Option<char> {
    if letter.is_ascii() || !letter.is_numeric() {
        return None;
    }
    let value = ZEROS
        .iter()
        .filter_map(|zero| u32::from(letter).checked_sub(u32::from(*zero)))
        .find(|value| *value < 10)?;
    char::from_digit(value, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts that are compared as equal.
    #[track_caller]
    fn same(texts: &[&str]) {
        for pair in texts.windows(2) {
            assert_eq!(folded(pair[0]), folded(pair[1]), "{pair:?}");
        }
    }

    /// Texts of which no two are equal.
    #[track_caller]
    fn different(texts: &[&str]) {
        for (index, one) in texts.iter().enumerate() {
            for other in &texts[index + 1..] {
                assert_ne!(folded(one), folded(other), "{one} {other}");
            }
        }
    }

    #[test]
    fn accents_make_no_difference_where_they_are_accents() {
        same(&["Crème", "creme", "Cre\u{300}me", "CRÈME"]);
        same(&["phở", "PHO", "pho\u{31b}\u{309}"]);
        same(&["Łódź", "lodz", "ŁÓDŹ"]);
        same(&["Ærøskøbing", "aeroskobing"]);
        same(&["Straße", "STRASSE", "STRAẞE"]);
        same(&["İstanbul", "istanbul", "ISTANBUL", "ıstanbul"]);
        same(&["Καλημέρα", "καλημερα", "ΚΑΛΗΜΕΡΑ"]);
        same(&["ὁδός", "ΟΔΟΣ", "οδοσ"]);
        same(&["ёлка", "елка", "ЁЛКА", "е\u{308}лка"]);
        same(&["за\u{301}мок", "замок"]);
        same(&["שָׁלוֹם", "שלום", "שלומ"]);
        same(&["مُحَمَّد", "محمد", "محمـــد"]);
        same(&["أحمد", "احمد", "آحمد", "إحمد", "ٱحمد"]);
        same(&["مدرسة", "مدرسه"]);
        same(&["على", "علي", "علی"]);
        same(&["کتاب", "كتاب"]);
    }

    #[test]
    fn letters_of_an_alphabet_stay_what_they_are() {
        different(&["мой", "мои"]);
        different(&["їжа", "іжа", "йжа"]);
        different(&["ўсе", "усе"]);
        different(&["ґанок", "ганок"]);
        same(&["йод", "И\u{306}ОД"]);
    }

    #[test]
    fn marks_of_other_scripts_are_letters() {
        different(&["दान", "दिन", "दून", "दन"]);
        different(&["सड़क", "सडक"]);
        different(&["কাল", "কলি", "কল"]);
        different(&["கல்", "கால்", "கல"]);
        different(&["ใกล้", "ใกล"]);
        different(&["ข่าว", "ขาว", "ข้าว"]);
        different(&["ເຂົ້າ", "ເຂົາ"]);
        different(&["កា", "កិ", "ក"]);
        different(&["မာ", "မိ", "မ"]);
        different(&["ཀི", "ཀུ", "ཀ"]);
        different(&["කා", "කි", "ක"]);
        different(&["かき", "がき", "かぎ"]);
        different(&["はは", "ばば", "ぱぱ"]);
        same(&["क\u{93c}\u{94d}", "क\u{94d}\u{93c}"]);
        same(&["क़लम", "क\u{93c}लम"]);
    }

    #[test]
    fn widths_and_kinds_of_kana_make_no_difference() {
        same(&["ガイド", "ｶﾞｲﾄﾞ", "カ\u{3099}イト\u{3099}", "がいど", "か゛いと゛"]);
        same(&["パン", "ﾊﾟﾝ", "ぱん"]);
        same(&["ラーメン", "ﾗｰﾒﾝ", "らーめん"]);
        same(&["ＡＢＣ１２", "abc12"]);
        same(&["ヴァ", "ゔぁ"]);
        same(&["いすヾ", "いすゞ"]);
        same(&["ﬁnd", "find"]);
    }

    #[test]
    fn a_hangul_syllable_is_one_however_it_is_typed() {
        same(&["한국", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}"]);
        assert!(!folded("학교").starts_with(&folded("하")));
    }

    #[test]
    fn digits_of_all_scripts_are_the_same_digits() {
        same(&[
            "0123456789",
            "٠١٢٣٤٥٦٧٨٩",
            "۰۱۲۳۴۵۶۷۸۹",
            "०१२३४५६७८९",
            "๐๑๒๓๔๕๖๗๘๙",
            "０１２３４５６７８９",
        ]);
        same(&["²", "2"]);
        different(&["三", "3"]);
    }

    #[test]
    fn what_cannot_be_seen_is_not_there() {
        same(&[
            "Donau\u{ad}dampf",
            "donaudampf",
            "donau\u{200b}dampf",
            "donau\u{2060}dampf",
        ]);
        same(&["ख\u{94d}\u{200d}य", "ख\u{94d}य", "ख\u{94d}\u{200c}य"]);
        same(&["❤\u{fe0f}", "❤"]);
        assert_eq!(folded("می\u{200c}خواهم"), "مي\u{200c}خواهم");
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for code in (0..0x3_0000).filter_map(char::from_u32) {
            let once = folded(&format!("a{code}"));
            assert_eq!(folded(&once), once, "{code:?} {:x}", u32::from(code));
        }
    }
}
