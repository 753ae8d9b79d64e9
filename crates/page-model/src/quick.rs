//! The quick-add line: what of its text is highlighted while the person types on.

/// A part of the text. Positions are in UTF-16 code units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// `title`, `due`, `recurrence`, `priority`, `tag`, `category` or `reminder`.
    pub kind: String,
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// Its text.
    pub text: String,
}

/// A run of the line: highlighted as a kind of part, or plain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The kind of the part.
    pub kind: Option<String>,
    /// The text.
    pub text: String,
}

/// The line in runs. Parts of an older text count as far as the line still has them at their place.
///
/// ```
/// use nudge_page_model::quick::{Part, runs};
///
/// let due = Part { kind: "due".into(), start: 10, end: 16, text: "friday".into() };
/// let runs = runs("Call Anna friday or", &[due]);
/// let kinds: Vec<_> = runs.iter().map(|run| (run.kind.as_deref(), run.text.as_str())).collect();
/// assert_eq!(kinds, [(None, "Call Anna "), (Some("due"), "friday"), (None, " or")]);
/// ```
pub fn runs(text: &str, parts: &[Part]) -> Vec<Run> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let piece = |from: usize, to: usize| units.get(from..to).map(String::from_utf16_lossy);
    let mut in_order: Vec<&Part> = Vec::new();
    for part in parts.iter().filter(|part| part.kind != "title") {
        let place = in_order.partition_point(|other| other.start <= part.start);
        in_order.insert(place, part);
    }
    let (mut runs, mut at) = (Vec::new(), 0);
    let plain = |runs: &mut Vec<Run>, from: usize, to: usize| {
        if let Some(text) = piece(from, to).filter(|text| !text.is_empty()) {
            runs.push(Run { kind: None, text });
        }
    };
    for part in in_order {
        let still_there = piece(part.start, part.end).is_some_and(|text| text == part.text);
        if part.start < at || !still_there {
            continue;
        }
        plain(&mut runs, at, part.start);
        runs.push(Run {
            kind: Some(part.kind.clone()),
            text: part.text.clone(),
        });
        at = part.end;
    }
    plain(&mut runs, at, units.len());
    runs
}

#[cfg(test)]
mod tests {
    use super::{Part, runs};

    fn part(kind: &str, start: usize, text: &str) -> Part {
        let end = start + text.encode_utf16().count();
        Part {
            kind: kind.to_owned(),
            start,
            end,
            text: text.to_owned(),
        }
    }

    fn check(text: &str, parts: &[Part], expected: &[&str]) {
        let runs: Vec<String> = runs(text, parts)
            .into_iter()
            .map(|run| match run.kind {
                Some(kind) => format!("{kind}:{}", run.text),
                None => run.text,
            })
            .collect();
        assert_eq!(runs, expected);
    }

    #[test]
    fn counts_in_utf_16_code_units() {
        check(
            "🎂 for Anna friday",
            &[part("due", 12, "friday")],
            &["🎂 for Anna ", "due:friday"],
        );
    }

    #[test]
    fn leaves_out_parts_that_were_typed_over() {
        let parts = [part("due", 9, "monday"), part("tag", 16, "#home")];
        check("Pay rent monda #home", &parts, &["Pay rent monda #home"]);
        check(
            "Pay rent sunday #home",
            &parts,
            &["Pay rent sunday ", "tag:#home"],
        );
    }

    #[test]
    fn leaves_the_title_plain_and_skips_overlapping_parts() {
        let parts = [
            part("title", 0, "Pay rent"),
            part("due", 9, "monday 9am"),
            part("reminder", 16, "9am"),
        ];
        check("Pay rent monday 9am", &parts, &["Pay rent ", "due:monday 9am"]);
    }
}
