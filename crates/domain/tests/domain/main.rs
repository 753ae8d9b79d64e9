//! The rules of the domain, one file per module of the crate, through its public API only.

#[cfg(test)]
mod due;
#[cfg(test)]
mod due_bound;
#[cfg(test)]
mod due_grammar;
#[cfg(test)]
mod due_moved;
#[cfg(test)]
mod due_parts;
#[cfg(test)]
mod due_phrase;
#[cfg(test)]
mod due_refusals;
#[cfg(test)]
mod field_reports_days;
#[cfg(test)]
mod field_reports_rules;
#[cfg(test)]
mod field_reports_values;
#[cfg(test)]
mod grammar;
#[cfg(test)]
mod id;
#[cfg(test)]
mod local_instant;
#[cfg(test)]
mod mail_address;
#[cfg(test)]
mod masked;
#[cfg(test)]
mod phrase;
#[cfg(test)]
mod phrase_grammar;
#[cfg(test)]
mod phrase_month_ends;
#[cfg(test)]
mod phrase_refusals;
#[cfg(test)]
mod quick_add;
#[cfg(test)]
mod quiet_hours;
#[cfg(test)]
mod recurrence;
#[cfg(test)]
mod recurrence_corpus;
#[cfg(test)]
mod recurrence_daylight_saving;
#[cfg(test)]
mod recurrence_oracle;
#[cfg(test)]
mod recurrence_refusals;
#[cfg(test)]
mod recurrence_words;
#[cfg(test)]
mod reminder;
#[cfg(test)]
mod reminder_snooze;
#[cfg(test)]
mod robustness;
#[cfg(test)]
mod series;
#[cfg(test)]
mod series_calendar;
#[cfg(test)]
mod task;
#[cfg(test)]
mod task_fields;
#[cfg(test)]
mod task_life;
#[cfg(test)]
mod word;
#[cfg(test)]
mod zone;

#[cfg(test)]
mod given {
    //! Short words for the values the tests begin with.

    use jiff::Timestamp;
    use nudge_domain::{Due, Rule, Zone};

    pub(crate) fn zone(name: &str) -> Zone {
        name.parse().expect("the test names a zone that exists")
    }

    pub(crate) fn due(text: &str, zone_name: &str) -> Due {
        Due::parse(text, &zone(zone_name)).expect("the test writes a due that can be read")
    }

    pub(crate) fn rule(text: &str) -> Rule {
        text.parse().expect("the test writes a rule that is accepted")
    }

    pub(crate) fn instant(text: &str) -> Timestamp {
        text.parse().expect("the test writes an instant")
    }

    /// The first occurrences as local dates and times, `2026-03-30T09:00`.
    pub(crate) fn occurrences(rule_text: &str, start: &Due, most: usize) -> Vec<String> {
        let local = |at| {
            start
                .zone()
                .time_zone()
                .to_datetime(at)
                .strftime("%Y-%m-%dT%H:%M")
                .to_string()
        };
        rule(rule_text).occurrences(start).take(most).map(local).collect()
    }
}
