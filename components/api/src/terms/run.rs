//! Runs of letters and digits, and their search terms.
//!
//! In most scripts a run is a word, which is one term of a task. Chinese, Japanese, Thai and others put no spaces between words, and
//! finding word boundaries takes a dictionary for each. There a task has a term for each position in a run: that character and the
//! next three. So any part of a run is the beginning of a term: queries of one to four characters match exactly. Of longer queries,
//! each four successive characters must be in the task.

use unicode_normalization::char::is_combining_mark;

use super::fold::{NON_JOINER, folded};

/// Number of significant characters of a word. No one types more, and PostgreSQL does not accept lexemes of 2 KiB.
const WORD_CHARS: usize = 40;

/// Units per term in scripts without spaces. With three, a search for four characters would find tasks that have the first
/// three in one place and the last three in another.
const TERM_UNITS: usize = 4;

/// Number of significant units of a run in a query: as many as characters of a word.
const QUERY_UNITS: usize = 40;

/// Scripts that put no spaces between words: the class SA of UAX #14, the scripts of its class ID, and Balinese and Javanese.
/// Blocks as in `Blocks.txt` of Unicode 17.0 (<https://www.unicode.org/Public/17.0.0/ucd/>); their digits are folded to 0 to 9.
const SPACELESS: [(char, char); 24] = [
    ('\u{e00}', '\u{eff}'),     // Thai, Lao
    ('\u{1000}', '\u{109f}'),   // Myanmar
    ('\u{1780}', '\u{17ff}'),   // Khmer
    ('\u{1950}', '\u{19ff}'),   // Tai Le, New Tai Lue, symbols of Khmer
    ('\u{1a20}', '\u{1aaf}'),   // Tai Tham
    ('\u{1b00}', '\u{1b7f}'),   // Balinese
    ('\u{2e80}', '\u{2fdf}'),   // Han: radicals
    ('\u{3005}', '\u{3007}'),   // Han: iteration and closing marks, zero
    ('\u{3021}', '\u{3029}'),   // Han: Hangzhou numerals
    ('\u{3031}', '\u{303c}'),   // kana repeat marks, Han numerals
    ('\u{3040}', '\u{30ff}'),   // Hiragana, Katakana
    ('\u{3100}', '\u{312f}'),   // Bopomofo
    ('\u{31a0}', '\u{31bf}'),   // Bopomofo
    ('\u{31f0}', '\u{31ff}'),   // Katakana
    ('\u{3400}', '\u{4dbf}'),   // Han
    ('\u{4e00}', '\u{9fff}'),   // Han
    ('\u{a000}', '\u{a4cf}'),   // Yi
    ('\u{a980}', '\u{a9ff}'),   // Javanese, Myanmar
    ('\u{aa60}', '\u{aadf}'),   // Myanmar, Tai Viet
    ('\u{f900}', '\u{faff}'),   // Han: compatibility
    ('\u{11700}', '\u{1174f}'), // Ahom
    ('\u{116d0}', '\u{116ff}'), // Myanmar
    ('\u{1aff0}', '\u{1b16f}'), // kana
    ('\u{20000}', '\u{3fffd}'), // Han
];

fn is_spaceless(letter: char) -> bool {
    SPACELESS
        .iter()
        .any(|(first, last)| (*first..=*last).contains(&letter))
}

/// Korean puts spaces between words, and particles at their ends.
fn is_hangul(letter: char) -> bool {
    matches!(letter, '\u{1100}'..='\u{11ff}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}')
}

/// Marks for an apostrophe that are letters by category: the Ukrainian м'ята is written with any of them, and with two that are not.
fn is_apostrophe(letter: char) -> bool {
    matches!(letter, '\u{2b9}'..='\u{2bf}' | '\u{2c8}' | '\u{2ee}')
}

/// A term of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) text: String,
    /// Whether it also matches terms that begin with it.
    pub(super) is_beginning: bool,
}

/// A run of letters and digits.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Run {
    units: Vec<Unit>,
}

/// A unit of a term: a word, or a letter with its marks in scripts without spaces.
#[derive(Debug, PartialEq, Eq)]
struct Unit {
    text: String,
    chars: usize,
    is_spaceless: bool,
}

/// The runs of a text, folded.
pub(super) fn runs(text: &str) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut run = Run::default();
    for letter in folded(text).chars() {
        if letter == NON_JOINER || is_combining_mark(letter) {
            // A mark without a base letter does not start a unit.
            if let Some(unit) = run.units.last_mut() {
                unit.push(letter);
            }
        } else if letter.is_alphanumeric() && !is_apostrophe(letter) {
            let is_spaceless = is_spaceless(letter);
            match run.units.last_mut() {
                Some(word) if !word.is_spaceless && !is_spaceless => word.push(letter),
                _ => run.units.push(Unit {
                    text: letter.to_string(),
                    chars: 1,
                    is_spaceless,
                }),
            }
        } else if !run.units.is_empty() {
            runs.push(std::mem::take(&mut run));
        }
    }
    if !run.units.is_empty() {
        runs.push(run);
    }
    runs
}

impl Unit {
    fn push(&mut self, letter: char) {
        if self.chars < WORD_CHARS {
            self.chars += 1;
            self.text.push(letter);
        }
    }

    /// The word, and in Persian also the parts that a joiner separates: people write a joiner, a space or nothing.
    fn words(&self) -> impl Iterator<Item = String> {
        let parts = self.text.split(NON_JOINER).filter(|part| !part.is_empty());
        let parts = parts.map(str::to_owned);
        std::iter::once(self.joined()).chain(parts.filter(|part| part.len() < self.text.len()))
    }

    fn joined(&self) -> String {
        self.text.replace(NON_JOINER, "")
    }
}

impl Run {
    fn is_spaceless(&self) -> bool {
        self.units.iter().any(|unit| unit.is_spaceless)
    }

    /// The terms of a task that contains the run.
    pub(super) fn terms(&self) -> Vec<String> {
        let words = self.units.iter().filter(|unit| !unit.is_spaceless);
        let mut terms: Vec<String> = words.flat_map(Unit::words).collect();
        if self.is_spaceless() {
            terms.extend((0..self.units.len()).map(|first| term(&self.units, first)));
        }
        terms
    }

    /// The terms of a query that contains the run; for the last word, the beginning is enough.
    pub(super) fn wanted(&self, is_last: bool) -> Vec<Wanted> {
        if !self.is_spaceless() {
            let text: String = self.units.iter().map(Unit::joined).collect();
            let ends_in_hangul = text.chars().next_back().is_some_and(is_hangul);
            return vec![Wanted {
                is_beginning: is_last || ends_in_hangul,
                text,
            }];
        }
        let units = self.units.get(..QUERY_UNITS).unwrap_or(&self.units);
        let last = units.len().saturating_sub(TERM_UNITS);
        // The last unit may be longer in the task: a letter may have more marks, a word more letters.
        let wanted = (0..=last).map(|first| Wanted {
            text: term(units, first),
            is_beginning: first == last,
        });
        wanted.collect()
    }
}

/// The term that begins with the unit at a position.
fn term(units: &[Unit], first: usize) -> String {
    let letters = units.iter().skip(first).take(TERM_UNITS);
    letters
        .flat_map(|unit| unit.text.chars())
        .filter(|letter| *letter != NON_JOINER)
        .take(WORD_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Vec<String> {
        runs(text).iter().flat_map(Run::terms).collect()
    }

    /// Whether the terms of a text satisfy a query, as both databases look them up.
    fn finds(query: &str, text: &str) -> bool {
        let terms = terms(text);
        let runs = runs(query);
        assert!(!runs.is_empty(), "{query:?}");
        runs.iter().zip(1..).all(|(run, number)| {
            run.wanted(number == runs.len()).iter().all(|wanted| {
                terms.iter().any(|term| match wanted.is_beginning {
                    true => term.starts_with(&wanted.text),
                    false => *term == wanted.text,
                })
            })
        })
    }

    #[test]
    fn words_are_runs_of_letters_and_digits_without_case_and_accents() {
        for (text, words) in [
            ("Café crème", vec!["cafe", "creme"]),
            ("Cafe\u{301} CRE\u{300}ME", vec!["cafe", "creme"]),
            ("Straße, ŁÓDŹ; Ærø", vec!["strasse", "lodz", "aero"]),
            ("İstanbul ΟΔΟΣ οδος", vec!["istanbul", "οδοσ", "οδοσ"]),
            (
                "don't e-mail bob@example.com",
                vec!["don", "t", "e", "mail", "bob", "example", "com"],
            ),
            ("v1.2 #42 ½ ＡＢ", vec!["v1", "2", "42", "1", "2", "ab"]),
            (
                "Привет, м'ята м’ята м\u{2bc}ята",
                vec!["привет", "м", "ята", "м", "ята", "м", "ята"],
            ),
            ("हिन्दी की किताब", vec!["हिन्दी", "की", "किताब"]),
            ("한국어를 배우기", vec!["한국어를", "배우기"]),
            ("\u{301}\u{94d} \0\"*'():&|!<-> %_\\", vec![]),
        ] {
            assert_eq!(terms(text), words, "{text:?}");
        }
        assert_eq!(terms(&"x".repeat(300)), ["x".repeat(WORD_CHARS)]);
        assert_eq!(
            terms(&format!("x{}", "\u{94d}".repeat(300)))[0].chars().count(),
            WORD_CHARS
        );
    }

    #[test]
    fn without_spaces_each_place_has_a_term() {
        assert_eq!(
            terms("東京都の天気"),
            ["東京都の", "京都の天", "都の天気", "の天気", "天気", "気"]
        );
        assert_eq!(
            terms("น้ำแข็ง"),
            [
                "น\u{e49}\u{e4d}าแข\u{e47}",
                "าแข\u{e47}ง",
                "แข\u{e47}ง",
                "ข\u{e47}ง",
                "ง"
            ]
        );
        assert_eq!(
            terms("iPhone15を買う"),
            ["iphone15", "iphone15を買う", "を買う", "買う", "う"]
        );
        assert_eq!(terms("3月"), ["3", "3月", "月"]);
    }

    #[test]
    fn what_is_inside_of_a_text_without_spaces_is_found() {
        for (text, found, not_found) in [
            (
                "東京と京都の天気",
                vec!["東", "東京", "京都", "の天気", "京都の天気", "東京と京都の天気"],
                vec!["東京都", "都気"],
            ),
            (
                "ラーメンとそうめん屋",
                vec!["らーめん", "ｿｳﾒﾝ", "ソウメン屋", "屋"],
                vec!["ラーメン屋", "めんと屋"],
            ),
            (
                "月曜日13時に会議",
                vec!["13時", "月曜", "会議", "13"],
                vec!["3時", "1月", "日時"],
            ),
            (
                "ซื้อมะม่วงที่ตลาด",
                vec!["มะม่วง", "ตลาด", "มะ", "ซื้อ", "ซ"],
                vec!["มะนาว", "ม่วงตลาด", "ซือ"],
            ),
            (
                "ទៅផ្សារ\u{200b}ទិញបាយ",
                vec!["ផ្សារ", "ទិញបាយ", "ផ្សារទិញ"],
                vec!["បាយទិញ"],
            ),
            ("ဈေးသွားမယ်", vec!["သွား", "ဈေး"], vec!["သွာမ"]),
            ("ໄປຕະຫຼາດ", vec!["ຕະຫຼາດ"], vec!["ຕະລາດ"]),
            (
                "買うiPhone15",
                vec!["買うiph", "iphone15", "iPho"],
                vec!["iphone16", "hone"],
            ),
        ] {
            for query in found {
                assert!(finds(query, text), "{query} in {text}");
            }
            for query in not_found {
                assert!(!finds(query, text), "{query} in {text}");
            }
        }
    }

    #[test]
    fn a_korean_word_is_found_before_its_particle() {
        for (query, found) in [
            ("학교 간다", true),
            ("학교에", true),
            ("교에", false),
            ("하", false),
            ("학", true),
        ] {
            assert_eq!(finds(query, "학교에서 집에 간다"), found, "{query}");
        }
    }

    #[test]
    fn a_persian_word_is_found_with_a_joiner_and_without_one() {
        let text = "کتاب\u{200c}های خوب";
        for query in ["کتاب\u{200c}های", "کتابهای", "کتاب خوب", "کتاب های", "كتاب"]
        {
            assert!(finds(query, text), "{query}");
        }
        assert!(!finds("کتابخ", text));
    }

    mod properties {
        use proptest::prelude::*;

        use super::*;

        /// Titles with words in many scripts and the characters between words.
        fn titles() -> impl Strategy<Value = String> {
            let word = prop_oneof![
                "[a-zäöüßéøłA-Z0-9]{1,12}",
                "[α-ωάέήΑ-Ω]{1,8}",
                "[а-яёіїА-Я]{1,8}",
                "[א-ת\u{5b0}-\u{5bc}]{1,8}",
                "[ا-ي\u{64b}-\u{652}]{1,8}",
                "[क-ह\u{93e}-\u{94d}]{1,8}",
                "[가-힣]{1,6}",
                "[一-龥]{1,12}",
                "[ぁ-んァ-ヶー一-龥]{1,12}",
                "[ก-ฮะ-ฺเ-ไ\u{e48}-\u{e4b}]{1,15}",
                "\\PC{1,12}",
            ];
            proptest::collection::vec((word, "[ ,.、。·/-]{0,2}"), 1..6)
                .prop_map(|parts| parts.into_iter().map(|(word, between)| word + &between).collect())
        }

        proptest! {
            #[test]
            fn a_title_is_found_by_each_of_its_words(title in titles()) {
                let all = runs(&title);
                let terms = terms(&title);
                for run in &all {
                    for wanted in run.wanted(false) {
                        prop_assert!(
                            terms.iter().any(|term| *term == wanted.text || wanted.is_beginning && term.starts_with(&wanted.text)),
                            "{wanted:?} of {title:?}"
                        );
                    }
                }
            }

            #[test]
            fn a_title_without_spaces_is_found_by_all_that_is_in_it(
                title in prop_oneof![
                    "[一-龥]{2,40}",
                    "[ぁ-んァ-ヶー一-龥々]{2,40}",
                    "[ก-ฮะ-ฺเ-ไ\u{e48}-\u{e4b}]{2,40}",
                    "[ກ-ຮະ-ຽເ-ໄ\u{ec8}-\u{ecb}]{2,40}",
                    "[က-အ\u{102b}-\u{103e}]{2,40}",
                    "[ក-អ\u{17b6}-\u{17d2}]{2,40}",
                    "[a-z0-9一-龥ก-ฮ]{2,30}",
                ],
                from in 0..40_usize,
                length in 2..40_usize,
            ) {
                let letters: Vec<char> = title.chars().collect();
                let from = from % letters.len();
                // Marks of one letter may be reordered, so the letter is taken with all of them.
                let mut until = (from + length).min(letters.len());
                while letters.get(until).is_some_and(|letter| is_combining_mark(*letter)) {
                    until += 1;
                }
                let query: String = letters[from..until].iter().collect();
                // A word of letters and digits is found by its beginning, as in other scripts.
                let begins = from == 0 || !letters[from].is_ascii() || !letters[from - 1].is_ascii();
                prop_assume!(begins && !runs(&query).is_empty());
                prop_assert!(finds(&query, &title), "{query:?} in {title:?}");
            }

            #[test]
            fn what_is_found_by_up_to_four_letters_has_them_side_by_side(
                title in "[一二三四]{1,12}",
                query in "[一二三四]{1,4}",
            ) {
                prop_assert_eq!(finds(&query, &title), title.contains(&query));
            }
        }
    }
}
