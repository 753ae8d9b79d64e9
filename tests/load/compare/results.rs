//! Figures, and tables of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

/// One figure of one round.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figure {
    /// What was measured, such as `create a task, flat out`.
    pub(crate) measure: &'static str,
    /// The system.
    pub(crate) subject: String,
    /// The setting, such as 16 clients; a number, for plots.
    pub(crate) setting: u32,
    /// The metric with its unit, such as `p95 ms`.
    pub(crate) metric: &'static str,
    pub(crate) value: f64,
}

/// A measure and its settings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measure {
    pub(crate) name: &'static str,
    /// The unit of the setting, such as `clients`.
    pub(crate) setting: &'static str,
}

/// All figures of a run.
#[derive(Debug, Default)]
pub(crate) struct Results {
    figures: Vec<Figure>,
    measures: Vec<Measure>,
}

/// The median of several rounds, and their range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Middle {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Middle {
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let half = values.len() / 2;
        let upper = *values.get(half)?;
        let median = match values.len() % 2 {
            0 => f64::midpoint(*values.get(half.checked_sub(1)?)?, upper),
            _ => upper,
        };
        Some(Self { median, least, most })
    }
}

impl Results {
    /// Adds figures of one round.
    pub(crate) fn add(
        &mut self,
        measure: Measure,
        subject: &str,
        setting: u32,
        figures: &[(&'static str, f64)],
    ) {
        if !self.measures.iter().any(|known| known.name == measure.name) {
            self.measures.push(measure);
        }
        for (metric, value) in figures {
            self.figures.push(Figure {
                measure: measure.name,
                subject: subject.to_owned(),
                setting,
                metric,
                value: *value,
            });
        }
    }

    pub(crate) fn measures(&self) -> &[Measure] {
        &self.measures
    }

    /// The raw figures, one line of JSON each.
    pub(crate) fn lines(&self) -> serde_json::Result<String> {
        let mut lines = String::new();
        for figure in &self.figures {
            lines += &serde_json::to_string(figure)?;
            lines.push('\n');
        }
        Ok(lines)
    }

    /// The metrics of a measure, in the order in which they were added.
    pub(crate) fn metrics(&self, measure: &str) -> Vec<&'static str> {
        let mut metrics = Vec::new();
        for figure in self.figures.iter().filter(|figure| figure.measure == measure) {
            if !metrics.contains(&figure.metric) {
                metrics.push(figure.metric);
            }
        }
        metrics
    }

    /// The subjects of a measure, in the order in which they were added.
    pub(crate) fn subjects(&self, measure: &str) -> Vec<&str> {
        let mut subjects: Vec<&str> = Vec::new();
        for figure in self.figures.iter().filter(|figure| figure.measure == measure) {
            if !subjects.contains(&figure.subject.as_str()) {
                subjects.push(&figure.subject);
            }
        }
        subjects
    }

    /// A metric of a subject, by setting.
    pub(crate) fn series(&self, measure: &str, subject: &str, metric: &str) -> BTreeMap<u32, Middle> {
        let mut values: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
        for figure in &self.figures {
            if figure.measure == measure && figure.subject == subject && figure.metric == metric {
                values.entry(figure.setting).or_default().push(figure.value);
            }
        }
        values
            .into_iter()
            .filter_map(|(setting, values)| Some((setting, Middle::of(values)?)))
            .collect()
    }

    /// The median of a metric.
    pub(crate) fn median(&self, measure: &str, subject: &str, setting: u32, metric: &str) -> Option<f64> {
        let series = self.series(measure, subject, metric);
        series.get(&setting).map(|middle| middle.median)
    }

    /// A table of a measure in Markdown: a row per subject and setting, a column per metric, with the median of the rounds, and
    /// their range if it exceeds a tenth.
    pub(crate) fn table(&self, measure: Measure) -> String {
        let metrics = self.metrics(measure.name);
        let mut text = format!("| | {} |", measure.setting);
        for metric in &metrics {
            let _ = write!(text, " {metric} |");
        }
        text += "\n| --- | --- |";
        text += &" --- |".repeat(metrics.len());
        text.push('\n');
        for subject in self.subjects(measure.name) {
            let columns: Vec<_> = metrics
                .iter()
                .map(|metric| self.series(measure.name, subject, metric))
                .collect();
            let settings: std::collections::BTreeSet<u32> =
                columns.iter().flat_map(|column| column.keys().copied()).collect();
            for setting in settings {
                let _ = write!(text, "| {subject} | {setting} |");
                for column in &columns {
                    let cell = column
                        .get(&setting)
                        .map(|middle| cell(*middle))
                        .unwrap_or_default();
                    let _ = write!(text, " {cell} |");
                }
                text.push('\n');
            }
        }
        text
    }
}

fn cell(middle: Middle) -> String {
    let apart = middle.most - middle.least;
    if apart <= middle.median.abs() / 10.0 {
        return short(middle.median);
    }
    format!(
        "{} ({}–{})",
        short(middle.median),
        short(middle.least),
        short(middle.most)
    )
}

/// Three significant digits for values with a fraction.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATE: Measure = Measure {
        name: "create",
        setting: "clients",
    };

    #[test]
    fn a_table_has_the_median_and_the_spread_of_the_rounds() {
        let mut results = Results::default();
        for value in [100.0, 300.0, 200.0] {
            results.add(CREATE, "nudge", 16, &[("req/s", value), ("p50 ms", 2.0)]);
        }
        results.add(CREATE, "python", 1, &[("req/s", 7.125)]);
        assert_eq!(
            results.table(CREATE),
            "| | clients | req/s | p50 ms |\n\
             | --- | --- | --- | --- |\n\
             | nudge | 16 | 200 (100–300) | 2.00 |\n\
             | python | 1 | 7.12 |  |\n"
        );
        assert_eq!(results.median("create", "nudge", 16, "req/s"), Some(200.0));
        assert_eq!(results.median("create", "nudge", 64, "req/s"), None);
    }

    #[test]
    fn the_median_of_two_is_between_them() {
        let middle = Middle::of(vec![3.0, 1.0]);
        assert_eq!(
            middle,
            Some(Middle {
                median: 2.0,
                least: 1.0,
                most: 3.0
            })
        );
        assert_eq!(Middle::of(Vec::new()), None);
    }
}
