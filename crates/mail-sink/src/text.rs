//! The text of an HTML document.

/// Columns of a line: none is broken, since lines of text are as long as their paragraphs where mail is read (the transfer
/// encoding keeps the lines of the message short), and a break would fall into words of scripts without spaces and into URLs.
const UNBROKEN: usize = 100_000;

/// Characters that the converter takes for white space, to collapse or to leave out, and that HTML does not: only tab, line feed,
/// form feed, carriage return and space collapse (CSS Text, section 4.1.1).
const KEPT: [char; 20] = [
    '\u{1680}', '\u{2000}', '\u{2001}', '\u{2002}', '\u{2003}', '\u{2004}', '\u{2005}', '\u{2006}',
    '\u{2007}', '\u{2008}', '\u{2009}', '\u{200a}', '\u{200b}', '\u{2028}', '\u{2029}', '\u{202f}',
    '\u{205f}', '\u{3000}', '\u{85}', '\u{b}',
];

/// The text of a document, with `white-space` as its style says.
pub(crate) fn of_html(html: &str) -> Result<String, html2text::Error> {
    let places = places_for(html);
    let swap = |text: &str, from: &dyn Fn(char) -> Option<char>| -> String {
        text.chars().map(|c| from(c).unwrap_or(c)).collect()
    };
    let pairs = || KEPT.iter().copied().zip(places.iter().copied());
    let hidden = swap(html, &|c| {
        pairs().find(|(kept, _)| *kept == c).map(|(_, place)| place)
    });
    let text = html2text::config::with_decorator(html2text::render::TrivialDecorator::new())
        .use_doc_css()
        .string_from_read(hidden.as_bytes(), UNBROKEN)?;
    Ok(swap(&text, &|c| {
        pairs().find(|(_, place)| *place == c).map(|(kept, _)| kept)
    }))
}

/// Private-use characters that a document does not use: they take the places of those that are kept while it is converted.
fn places_for(html: &str) -> Vec<char> {
    ('\u{100000}'..='\u{10fffd}')
        .filter(|&place| !html.contains(place))
        .take(KEPT.len())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_are_kept_where_the_style_says_so_and_collapse_elsewhere() {
        let html = "<p style=\"margin:0;white-space:pre-wrap\">  a  b</p><p> c \n  d </p>";
        assert_eq!(of_html(html).expect("a text"), "  a  b\n\nc d\n");
    }

    #[test]
    fn no_script_loses_a_character() {
        for text in [
            "買い物\u{3000}に行く",
            "ภาษา\u{200b}ไทย",
            "می\u{200c}خواهم",
            "👩\u{200d}👩\u{200d}👧 👍🏽",
            "a\u{2003}b\u{a0}c\u{2028}d",
            "\u{202e}abc",
            "e\u{301}\u{feff}x",
            "\u{100000}\u{3000}\u{100001}",
        ] {
            let html = format!("<h1>{text}</h1>");
            assert_eq!(of_html(&html).expect("a text").trim_end_matches('\n'), text);
        }
    }

    #[test]
    fn a_long_line_stays_one() {
        for text in [
            "https://example.com/".to_owned() + &"x".repeat(2_000),
            "日本".repeat(1_000),
        ] {
            let html = format!("<p>{text}</p>");
            assert_eq!(of_html(&html).expect("a text").trim_end(), text);
        }
    }
}
