//! What Nudge takes, of what others take in the same run.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::results::{Measure, Results, short};
use crate::stack::Subject;
use crate::{create, events, growth, reminders, start};

/// The metric that is compared of each measure. All others are in the table and in the raw figures.
const COMPARED: [(Measure, &str); 14] = [
    (create::FLAT_OUT, "answers/s"),
    (create::FLAT_OUT, "services µs/request"),
    (create::AT_A_RATE, "p95 ms"),
    (create::MEMORY, "all anonymous MB"),
    (start::COLD, "ms"),
    (events::NOTIFICATION, "seconds"),
    (events::RECURRING_TASK, "seconds"),
    (events::EMAIL_DELIVERY, "seconds"),
    (reminders::LATE, "p99 ms"),
    (reminders::BESIDE, "p99 ms"),
    (growth::READ, "answers/s"),
    (growth::FIRST_PAGE, "answers/s"),
    (growth::SEARCH, "answers/s"),
    (growth::CREATE, "answers/s"),
];

/// What Nudge is compared with.
const PEERS: [Subject; 4] = [
    Subject::NudgeBefore,
    Subject::Spin,
    Subject::Native,
    Subject::Python,
];

/// A table in Markdown: a row per compared metric and setting, with the median of Nudge and its ratio to the median of each peer that was
/// measured.
pub(crate) fn table(results: &Results) -> String {
    let nudge = Subject::Nudge.to_string();
    let subjects: BTreeSet<&str> = results
        .measures()
        .iter()
        .flat_map(|measure| results.subjects(measure.name))
        .collect();
    let peers: Vec<String> = PEERS
        .map(|peer| peer.to_string())
        .into_iter()
        .filter(|peer| subjects.contains(peer.as_str()))
        .collect();
    let mut text = format!("| | | {nudge} |");
    for peer in &peers {
        let _ = write!(text, " of {peer} |");
    }
    text += "\n| --- | --- | --- |";
    text += &" --- |".repeat(peers.len());
    text.push('\n');
    for (measure, metric) in COMPARED {
        for (setting, own) in results.series(measure.name, &nudge, metric) {
            let own = own.median;
            let _ = write!(
                text,
                "| {}, {metric} | {setting} {} | {} |",
                measure.name,
                measure.setting,
                short(own)
            );
            for peer in &peers {
                let ratio = results
                    .median(measure.name, peer, setting, metric)
                    .map(|other| short(own / other));
                let _ = write!(text, " {} |", ratio.unwrap_or_default());
            }
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_median_of_nudge_and_its_ratio_to_each_peer_that_was_measured() {
        let mut results = Results::default();
        for (subject, answers) in [("nudge", 50.0), ("native", 200.0), ("limit: publish", 900.0)] {
            results.add(create::FLAT_OUT, subject, 16, &[("answers/s", answers)]);
        }
        results.add(start::COLD, "nudge", 1, &[("ms", 80.0)]);
        assert_eq!(
            table(&results),
            "| | | nudge | of native |\n\
             | --- | --- | --- | --- |\n\
             | create a task, flat out, answers/s | 16 clients | 50.0 | 0.25 |\n\
             | start of an api, until its first answer, ms | 1 starts | 80.0 |  |\n"
        );
    }
}
