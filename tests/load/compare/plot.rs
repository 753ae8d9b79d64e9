//! Pictures of the three measures that say the most. All others are in the table.

use std::ops::Range;
use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, ValueFormatter};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use crate::results::{Measure, Middle, Results};
use crate::{create, reminders};

/// What is drawn: a measure, and the metric on the upright axis.
const PICTURES: [(Measure, &str); 3] = [
    (create::FLAT_OUT, "answers/s"),
    (create::MEMORY, "api anonymous MB"),
    (reminders::LATE, "p50 ms"),
];

const SIZE: (u32, u32) = (720, 420);

/// Subjects and their colours, the same in every picture, distinguishable without red and green (Okabe and Ito).
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

/// Writes an SVG file for each of the pictures that were measured, named after the measure.
pub(crate) fn pictures(results: &Results, folder: &Path) -> Result<()> {
    for (measure, metric) in PICTURES {
        if results.subjects(measure.name).is_empty() {
            continue;
        }
        let name = measure.name.replace(", ", "-").replace(' ', "-");
        let file = folder.join(format!("{name}.svg"));
        draw(results, measure, metric, &file).map_err(|error| anyhow!("{}: {error}", file.display()))?;
    }
    Ok(())
}

fn draw(
    results: &Results,
    measure: Measure,
    metric: &str,
    file: &Path,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut subjects = results.subjects(measure.name);
    // The limits are ten times higher and would flatten the other lines. They are in the table.
    subjects.retain(|subject| metric != "answers/s" || !subject.starts_with("limit"));
    let settings = settings(results, measure, metric, &subjects);
    let series = lines(results, measure, metric, &subjects, &settings);
    let highest = series
        .iter()
        .flat_map(|(_, points)| points.iter().map(|(_, middle)| middle.most))
        .fold(0.0, f64::max);
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let across = Axis(settings);
    let mut chart = ChartBuilder::on(&area)
        .caption(format!("{}: {metric}", measure.name), ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(64)
        .build_cartesian_2d(across, 0.0..highest * 1.1)?;
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
        // Shifted, so that one does not hide another.
        let shift = (number as f64 - series.len() as f64 / 2.0) * 0.04;
        let place = |position: usize| position as f64 + shift;
        let line = points
            .iter()
            .map(|(position, middle)| (place(*position), middle.median));
        chart
            .draw_series(LineSeries::new(line.clone(), colour.stroke_width(2)))?
            .label(*subject)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
        chart.draw_series(line.map(|point| Circle::new(point, 3, colour.filled())))?;
        // The range of the rounds.
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

/// For each subject that has the metric, its figures by the position of their setting.
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

/// An axis with a label at each setting, at equal distances.
struct Axis(Vec<u32>);

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, limit: (i32, i32)) -> i32 {
        RangedCoordf64::from(self.range()).map(place, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        (0..self.0.len()).map(|position| position as f64).collect()
    }

    fn range(&self) -> Range<f64> {
        -0.5..self.0.len() as f64 - 0.5
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, place: &f64) -> String {
        let setting = (0..)
            .zip(&self.0)
            .find(|(position, _)| f64::from(*position) == *place);
        setting
            .map(|(_, setting)| setting.to_string())
            .unwrap_or_default()
    }
}
