//! A report as a page: one file, no script, nothing from the network.

mod axis;
mod figures;
mod markup;
mod plot;

use super::{
    assertion::Checked,
    report::{Figure, Input, Report},
};
use markup::{escape, table};

/// What a page shows.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// One rule set, or two to compare. More would need more colours than all people tell apart; they are left out.
    pub sides: &'a [Side<'a>],
    /// What the first was held to.
    pub assertions: &'a [Checked],
}

/// A rule set and what came of it.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The name to show, such as the file's.
    pub name: &'a str,
    /// What came of it.
    pub report: &'a Report,
}

/// Most rule sets of a page.
const SIDES_MAX: usize = 2;

/// Renders a page. The same reports give the same bytes.
pub fn html(page: &Page<'_>) -> String {
    let sides = &page.sides[..page.sides.len().min(SIDES_MAX)];
    let names: Vec<&str> = sides.iter().map(|side| side.name).collect();
    let title = format!("FlexMatch simulation: {}", names.join(" against "));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<header>\n<h1>FlexMatch simulation</h1>\n",
        escape(&title),
        include_str!("html/style.css")
    );
    for (index, side) in sides.iter().enumerate() {
        out += &head(index, side);
    }
    out += "</header>\n<main>\n";
    out += &assertions(page.assertions);
    out += &summary(sides);
    for (heading, cards) in [
        ("Waiting", figures::waiting(sides)),
        ("Who waits", figures::segments(sides)),
        ("Matches", figures::matches(sides)),
        ("What the rules measured in the matches", figures::rules(sides)),
        ("Timeouts", figures::timeouts(sides)),
    ] {
        out += &format!("<section>\n<h2>{heading}</h2>\n<div class=\"grid\">\n{cards}</div>\n</section>\n");
    }
    out += "</main>\n</body>\n</html>\n";
    out
}

/// What was simulated.
fn head(index: usize, side: &Side<'_>) -> String {
    let name = match &side.report.rule_set {
        Some(rule_set) => format!("{} ({rule_set})", side.name),
        None => side.name.to_owned(),
    };
    let mut lines = match &side.report.input {
        Input::Population { arrivals_per_second, duration_seconds, seed } => vec![format!(
            "{arrivals_per_second} tickets per second for {duration_seconds} s, seed {seed}: {} tickets, {} players",
            side.report.tickets, side.report.players
        )],
        Input::Replay(replay) => replay.lines(),
    };
    let changes = side.report.compat.changes();
    lines.extend(changes.into_iter().map(|(switch, value)| format!("read with {switch}: {value}")));
    if let Some(why) = &side.report.first_refusal {
        lines.push(format!("{} requests were refused; the first: {why}", side.report.refused));
    }
    let lines: String = lines.iter().map(|line| format!("<li>{}</li>\n", escape(line))).collect();
    format!("<p class=\"side\">{} {}</p>\n<ul>\n{lines}</ul>\n", markup::swatch(index), escape(&name))
}

fn assertions(checked: &[Checked]) -> String {
    if checked.is_empty() {
        return String::new();
    }
    let row = |checked: &Checked| {
        let holds = if checked.holds { "holds" } else { "BROKEN" };
        vec![checked.assertion.clone(), checked.found.clone(), holds.to_owned()]
    };
    let rows: Vec<_> = checked.iter().map(row).collect();
    let head = ["Assertion", "Found", ""].map(str::to_owned);
    format!("<section>\n<h2>Assertions</h2>\n{}</section>\n", table("Assertions", &head, &rows))
}

fn summary(sides: &[Side<'_>]) -> String {
    let Some(first) = sides.first() else { return String::new() };
    let all: Vec<Vec<Figure>> = sides.iter().map(|side| side.report.summary()).collect();
    let row = |figure: Figure| {
        let of = |figures: &Vec<Figure>| figures.iter().find(|other| other.name == figure.name).cloned();
        let shown = all.iter().map(|figures| of(figures).map_or_else(String::new, |found| found.shown()));
        std::iter::once(figure.name.clone()).chain(shown).collect()
    };
    let rows: Vec<Vec<String>> = first.report.summary().into_iter().map(row).collect();
    let names = sides.iter().map(|side| side.name.to_owned());
    let head: Vec<String> = std::iter::once("Figure".to_owned()).chain(names).collect();
    let note =
        "Waits are from the request to the match, of tickets that were matched; shares are of all tickets.";
    format!("<section>\n<h2>Summary</h2>\n<p>{note}</p>\n{}</section>\n", table("Summary", &head, &rows))
}
