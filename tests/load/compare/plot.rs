//! A picture of each measure that has more than one setting.

use std::ops::Range;
use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, ValueFormatter};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use crate::growth::STORED;
use crate::results::{Measure, Middle, Results};

const SIZE: (u32, u32) = (720, 420);

/// Subjects and their colours, the same in every picture; told apart without red and green (Okabe and Ito).
const COLOURS: [(&str, RGBColor); 9] = [
    ("nudge", RGBColor(213, 94, 0)),
    ("nudge, before", RGBColor(230, 159, 0)),
    ("nudge, one process", RGBColor(240, 228, 66)),
    ("nudge on Spin", RGBColor(204, 121, 167)),
    ("native", RGBColor(0, 114, 178)),
    ("native, one process", RGBColor(86, 180, 233)),
    ("python", RGBColor(0, 158, 115)),
    ("limit: publish", RGBColor(120, 120, 120)),
    ("limit: INSERT", RGBColor(180, 180, 180)),
];

/// Writes a file for each measure, named after it.
pub(crate) fn all(results: &Results, folder: &Path) -> Result<()> {
    for measure in results.measures() {
        let Some(metric) = results.metrics(measure.name).into_iter().find(|name| shown(name)) else {
            continue;
        };
        let name: String = measure
            .name
            .chars()
            .map(|character| {
                if character.is_ascii_alphanumeric() {
                    character
                } else {
                    '-'
                }
            })
            .collect();
        let file = folder.join(format!("{}.svg", name.replace("--", "-")));
        draw(results, *measure, metric, &file).map_err(|error| anyhow!("{}: {error}", file.display()))?;
    }
    Ok(())
}

/// The figure that a picture shows: the first that is not just a circumstance.
fn shown(metric: &str) -> bool {
    !["processes", "seconds"].contains(&metric)
}

fn draw(
    results: &Results,
    measure: Measure,
    metric: &str,
    file: &Path,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut subjects = results.subjects(measure.name);
    // Ten times as many would press the others to the ground. They are in the table.
    subjects.retain(|subject| metric != "answers/s" || !subject.starts_with("limit"));
    let settings = settings(results, measure, metric, &subjects);
    let series = lines(results, measure, metric, &subjects, &settings);
    let most = series
        .iter()
        .flat_map(|(_, points)| points.iter().map(|(_, middle)| middle.most))
        .fold(0.0, f64::max);
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let across = Axis::of(measure, &settings);
    let places = across.places.clone();
    let mut chart = ChartBuilder::on(&area)
        .caption(format!("{}: {metric}", measure.name), ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(64)
        .build_cartesian_2d(across, 0.0..most * 1.1)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(WHITE)
        .x_desc(measure.setting)
        .y_desc(metric)
        .draw()?;
    for (number, (subject, points)) in series.iter().enumerate() {
        let colour = COLOURS
            .iter()
            .find(|(name, _)| name == subject)
            .or_else(|| COLOURS.get(number % COLOURS.len()))
            .map_or(BLACK, |(_, colour)| *colour);
        // Side by side, so that one does not hide another.
        let aside = (number as f64 - series.len() as f64 / 2.0) * 0.04;
        let place = |position: usize| places.get(position).copied().unwrap_or_default() + aside;
        let line = points
            .iter()
            .map(|(position, middle)| (place(*position), middle.median));
        chart
            .draw_series(LineSeries::new(line.clone(), colour.stroke_width(2)))?
            .label(*subject)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
        chart.draw_series(line.map(|point| Circle::new(point, 3, colour.filled())))?;
        // From the least to the most of the rounds.
        chart.draw_series(points.iter().map(|(position, middle)| {
            let x = place(*position);
            PathElement::new([(x, middle.least), (x, middle.most)], colour)
        }))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    area.present()?;
    Ok(())
}

/// The settings of all subjects, in order.
fn settings(results: &Results, measure: Measure, metric: &str, subjects: &[&str]) -> Vec<u32> {
    let mut settings: Vec<u32> = subjects
        .iter()
        .flat_map(|subject| results.series(measure.name, subject, metric).into_keys())
        .collect();
    settings.sort_unstable();
    settings.dedup();
    settings
}

/// Of each subject that has the metric, its figures by the position of their setting.
fn lines<'a>(
    results: &Results,
    measure: Measure,
    metric: &str,
    subjects: &[&'a str],
    settings: &[u32],
) -> Vec<(&'a str, Vec<(usize, Middle)>)> {
    let of = |subject: &&'a str| {
        let series = results.series(measure.name, subject, metric);
        let points: Vec<(usize, Middle)> = series
            .into_iter()
            .filter_map(|(setting, middle)| {
                Some((settings.iter().position(|other| *other == setting)?, middle))
            })
            .collect();
        (!points.is_empty()).then_some((*subject, points))
    };
    subjects.iter().filter_map(of).collect()
}

/// An axis with a label at each setting, and nothing between two.
struct Axis {
    settings: Vec<u32>,
    /// Where they are: one beside the other, or as far apart as their logarithms are when they count tasks.
    places: Vec<f64>,
}

impl Axis {
    fn of(measure: Measure, settings: &[u32]) -> Self {
        let place = |(position, setting): (usize, &u32)| match measure.setting {
            STORED => f64::from(*setting).log10(),
            _ => position as f64,
        };
        Self {
            settings: settings.to_vec(),
            places: settings.iter().enumerate().map(place).collect(),
        }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, limit: (i32, i32)) -> i32 {
        RangedCoordf64::from(self.range()).map(place, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.places.clone()
    }

    fn range(&self) -> Range<f64> {
        let first = self.places.first().copied().unwrap_or_default();
        let last = self.places.last().copied().unwrap_or_default();
        first - 0.5..last + 0.5
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, place: &f64) -> String {
        let position = self.places.iter().position(|other| other == place);
        let setting = position.and_then(|position| self.settings.get(position));
        setting.map(ToString::to_string).unwrap_or_default()
    }
}
