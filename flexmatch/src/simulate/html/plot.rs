//! Plots as SVG. Each is 360 units wide, so that its text has its size on a phone; style is in the page's CSS.

use super::{axis::Axis, markup::escape};
use crate::simulate::quantiles::Quantiles;

const WIDTH: f64 = 360.0;

// The plane of line and column plots.
const LEFT: f64 = 44.0;
const RIGHT: f64 = 344.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 196.0;

// The plane of plots with rows. On its right is room for the text of a full bar.
const ROW_LEFT: f64 = 8.0;
const BAR_RIGHT: f64 = 276.0;
const RANGE_RIGHT: f64 = 344.0;
const LABEL_HEIGHT: f64 = 19.0;
const BAR_HEIGHT: f64 = 11.0;
const BAR_PITCH: f64 = 16.0;
const ROW_GAP: f64 = 7.0;

/// Most characters of a label that fit.
const LABEL_MAX: usize = 48;

/// What a plot is called, and what its axes say.
#[derive(Clone, Copy)]
pub(super) struct Labels<'a> {
    /// Unique in the page.
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    /// In a sentence, for those who hear it.
    pub(super) description: &'a str,
    pub(super) x: &'a str,
    /// Unused by plots with rows.
    pub(super) y: &'a str,
}

/// A row of a plot with bars: a value per rule set.
pub(super) struct Bars {
    pub(super) label: String,
    pub(super) values: Vec<(f64, String)>,
}

/// A row of a plot with ranges.
pub(super) struct Ranges {
    pub(super) label: String,
    pub(super) values: Vec<Quantiles>,
}

fn svg(labels: Labels<'_>, height: f64, inner: &str) -> String {
    let Labels { id, title, description, .. } = labels;
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\n\
         <title id=\"{id}-t\">{}</title>\n<desc id=\"{id}-d\">{}</desc>\n{inner}</svg>\n",
        escape(title),
        escape(description)
    )
}

fn text(x: f64, y: f64, anchor: &str, class: &str, content: &str) -> String {
    let content = escape(content);
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" class=\"{class}\">{content}</text>\n")
}

fn rule(x1: f64, y1: f64, x2: f64, y2: f64) -> String {
    format!("<line class=\"rule\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>\n")
}

fn short(label: &str) -> String {
    if label.chars().count() <= LABEL_MAX {
        return label.to_owned();
    }
    label.chars().take(LABEL_MAX - 1).chain(['\u{2026}']).collect()
}

/// Grid and numbers of the vertical axis.
fn vertical(axis: &Axis, label: &str) -> String {
    let mut out = text(2.0, 12.0, "start", "tick", label);
    for (value, written) in axis.ticks() {
        let y = BOTTOM - axis.place(value) * (BOTTOM - TOP);
        out += &rule(LEFT, y, RIGHT, y);
        out += &text(LEFT - 6.0, y + 4.0, "end", "tick", &written);
    }
    out
}

/// Grid and numbers of a horizontal axis.
fn horizontal(axis: &Axis, label: &str, left: f64, right: f64, top: f64, bottom: f64) -> String {
    let mut out = String::new();
    for (value, written) in axis.ticks() {
        let x = left + axis.place(value) * (right - left);
        out += &rule(x, top, x, bottom);
        // The outermost numbers stay within the picture.
        let anchor = if x < 12.0 { "start" } else { "middle" };
        out += &text(x, bottom + 14.0, anchor, "tick", &written);
    }
    out + &text((left + right) / 2.0, bottom + 30.0, "middle", "tick", label)
}

/// Lines through points.
pub(super) fn lines(labels: Labels<'_>, series: &[Vec<(f64, f64)>], y: Axis) -> String {
    let x = Axis::over(series.iter().flatten().map(|point| point.0), false);
    let mut out = vertical(&y, labels.y);
    out += &horizontal(&x, labels.x, LEFT, RIGHT, TOP, BOTTOM);
    for (index, points) in series.iter().enumerate() {
        let place = |(at, value): &(f64, f64)| {
            let (x, y) = (x.place(*at), y.place(*value));
            format!("{:.1},{:.1}", LEFT + x * (RIGHT - LEFT), BOTTOM - y * (BOTTOM - TOP))
        };
        let points: Vec<String> = points.iter().map(place).collect();
        out += &format!("<polyline class=\"line s{index}\" points=\"{}\"/>\n", points.join(" "));
    }
    svg(labels, BOTTOM + 36.0, &out)
}

/// Columns side by side, under short names.
pub(super) fn columns(labels: Labels<'_>, names: &[String], series: &[Vec<f64>], y: Axis) -> String {
    let mut out = vertical(&y, labels.y);
    let pitch = (RIGHT - LEFT) / names.len().max(1) as f64;
    let width = pitch * 0.7 / series.len().max(1) as f64;
    for (at, name) in names.iter().enumerate() {
        let left = LEFT + at as f64 * pitch;
        out += &text(left + pitch / 2.0, BOTTOM + 14.0, "middle", "tick", name);
        for (index, values) in series.iter().enumerate() {
            let height = y.place(values.get(at).copied().unwrap_or(0.0)) * (BOTTOM - TOP);
            if height > 0.0 {
                let x = left + pitch * 0.15 + index as f64 * width;
                out += &bar(index, x, BOTTOM - height, width - 2.0, height);
            }
        }
    }
    out += &text((LEFT + RIGHT) / 2.0, BOTTOM + 30.0, "middle", "tick", labels.x);
    svg(labels, BOTTOM + 36.0, &out)
}

fn bar(index: usize, x: f64, y: f64, width: f64, height: f64) -> String {
    format!(
        "<rect class=\"bar s{index}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\"/>\n",
        width.max(1.0)
    )
}

/// Where the rows of a plot begin, and the height of all.
fn rows(counts: impl Iterator<Item = (bool, usize)>) -> (Vec<f64>, f64) {
    let mut y = 2.0;
    let mut tops = Vec::new();
    for (labelled, count) in counts {
        tops.push(y);
        y += if labelled { LABEL_HEIGHT } else { 0.0 } + count as f64 * BAR_PITCH + ROW_GAP;
    }
    (tops, y)
}

/// Bars from the left with their numbers, each under its label.
pub(super) fn bars(labels: Labels<'_>, bars: &[Bars], x: Axis) -> String {
    let (tops, bottom) = rows(bars.iter().map(|row| (true, row.values.len())));
    let mut out = horizontal(&x, labels.x, ROW_LEFT, BAR_RIGHT, 0.0, bottom);
    for (row, top) in bars.iter().zip(tops) {
        out += &text(ROW_LEFT, top + 13.0, "start", "label", &short(&row.label));
        for (index, (value, written)) in row.values.iter().enumerate() {
            let y = top + LABEL_HEIGHT + index as f64 * BAR_PITCH;
            let width = x.place(*value) * (BAR_RIGHT - ROW_LEFT);
            if *value > 0.0 {
                out += &bar(index, ROW_LEFT, y, width, BAR_HEIGHT);
            }
            out += &text(ROW_LEFT + width + 6.0, y + 10.0, "start", "tick", written);
        }
    }
    svg(labels, bottom + 36.0, &out)
}

/// Boxes over the middle half, with the median, p10 to p90 as whiskers, and p99 as a dot.
pub(super) fn ranges(labels: Labels<'_>, ranges: &[Ranges]) -> String {
    let all = ranges.iter().flat_map(|row| &row.values);
    let x = Axis::over(all.flat_map(|values| [values.p10, values.p99]), false);
    let (tops, bottom) = rows(ranges.iter().map(|row| (!row.label.is_empty(), row.values.len())));
    let mut out = horizontal(&x, labels.x, ROW_LEFT, RANGE_RIGHT, 0.0, bottom);
    for (row, top) in ranges.iter().zip(tops) {
        out += &text(ROW_LEFT, top + 13.0, "start", "label", &short(&row.label));
        let top = top + if row.label.is_empty() { 0.0 } else { LABEL_HEIGHT };
        for (index, values) in row.values.iter().enumerate() {
            let y = top + index as f64 * BAR_PITCH;
            out += &match values.count {
                0 => text(ROW_LEFT, y + 10.0, "start", "tick", "no data"),
                _ => range(index, values, &x, y),
            };
        }
    }
    svg(labels, bottom + 36.0, &out)
}

fn range(index: usize, values: &Quantiles, x: &Axis, y: f64) -> String {
    let at = |value: f64| ROW_LEFT + x.place(value) * (RANGE_RIGHT - ROW_LEFT);
    let middle = y + BAR_HEIGHT / 2.0;
    let (p10, p25, p50, p75, p90, p99) =
        (at(values.p10), at(values.p25), at(values.p50), at(values.p75), at(values.p90), at(values.p99));
    format!(
        "<line class=\"whisker s{index}\" x1=\"{p10:.1}\" y1=\"{middle:.1}\" x2=\"{p90:.1}\" y2=\"{middle:.1}\"/>\n\
         <rect class=\"box s{index}\" x=\"{p25:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{BAR_HEIGHT}\"/>\n\
         <line class=\"median s{index}\" x1=\"{p50:.1}\" y1=\"{y:.1}\" x2=\"{p50:.1}\" y2=\"{:.1}\"/>\n\
         <circle class=\"dot s{index}\" cx=\"{p99:.1}\" cy=\"{middle:.1}\" r=\"3\"/>\n",
        (p75 - p25).max(1.0),
        y + BAR_HEIGHT
    )
}
