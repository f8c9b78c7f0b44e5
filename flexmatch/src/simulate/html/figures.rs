//! The figures of a page: which numbers go into which plot.

use super::{
    Side,
    axis::Axis,
    markup::Card,
    plot::{Bars, Labels, Ranges, bars, columns, lines, ranges},
};
use crate::simulate::{
    quantiles::Quantiles,
    report::{FILL_BINS, SegmentKind},
};

const BOXES: &str = "Box: the middle half, with the median. Line: p10 to p90. Dot: p99.";

/// Rows of the table under a plot over time: enough to read its shape.
const TABLE_ROWS: usize = 11;

fn names<'a>(sides: &[Side<'a>]) -> Vec<&'a str> {
    sides.iter().map(|side| side.name).collect()
}

/// A column per rule set after the first.
fn head(first: &str, sides: &[Side<'_>]) -> Vec<String> {
    std::iter::once(first).chain(names(sides)).map(str::to_owned).collect()
}

/// The distribution of waits, and the queue over time.
pub(super) fn waiting(sides: &[Side<'_>]) -> String {
    cumulative(sides) + &queue(sides)
}

fn cumulative(sides: &[Side<'_>]) -> String {
    let curve = |side: &Side<'_>| {
        let matched = side.report.matched as f64 / side.report.tickets.max(1) as f64;
        let percentiles = side.report.wait_percentiles.iter().enumerate();
        let points = percentiles.map(|(percent, wait)| (*wait, percent as f64 * matched));
        // Nobody is matched before the quickest.
        std::iter::once((0.0, 0.0)).chain(points).collect::<Vec<_>>()
    };
    let labels = Labels {
        id: "cumulative",
        title: "Tickets matched within a wait",
        description: "For each wait in seconds, the share of all tickets that were matched within it.",
        x: "wait in seconds",
        y: "% of all tickets",
    };
    let any = sides.iter().any(|side| side.report.matched > 0);
    let row = |percent: usize| {
        let wait = |side: &Side<'_>| {
            side.report
                .wait_percentiles
                .get(percent)
                .map_or("no data".to_owned(), |wait| format!("{wait:.1} s"))
        };
        std::iter::once(format!("{percent}%")).chain(sides.iter().map(wait)).collect()
    };
    let mut series: Vec<_> = sides.iter().map(curve).collect();
    // A curve goes on to the longest wait of all, at its height.
    let end = series.iter().flatten().map(|point| point.0).fold(0.0, f64::max);
    for points in &mut series {
        points.extend(points.last().copied().map(|(_, share)| (end, share)));
    }
    Card {
        title: labels.title,
        note: "A curve that ends below 100 % leaves the rest to timeouts and cancellations.",
        plot: if any {
            Ok(lines(labels, &series, Axis::over([100.0].into_iter(), true)))
        } else {
            Err("no ticket was matched")
        },
        legend: &names(sides),
        head: head("of matched tickets", sides),
        rows: [1, 5, 10, 25, 50, 75, 90, 95, 99, 100].into_iter().map(row).collect(),
    }
    .html()
}

fn queue(sides: &[Side<'_>]) -> String {
    let labels = Labels {
        id: "queue",
        title: "Tickets that wait, over time",
        description: "The number of tickets without a match at each moment of the simulation.",
        x: "seconds from the beginning",
        y: "tickets",
    };
    let series: Vec<Vec<(f64, f64)>> = sides
        .iter()
        .map(|side| {
            side.report.waiting.iter().map(|moment| (moment.seconds, moment.tickets as f64)).collect()
        })
        .collect();
    let counts = series.iter().flatten().map(|point| point.1);
    let y = Axis::over(counts, true);
    // Two simulations may end at different moments: each row has the moment of its own.
    let row = |index: usize| {
        let cell = |points: &Vec<(f64, f64)>| {
            let at = points.len().saturating_sub(1) * index / (TABLE_ROWS - 1);
            points.get(at).map_or(String::new(), |(at, count)| format!("{count:.0} at {at:.0} s"))
        };
        let share = format!("{}%", index * 100 / (TABLE_ROWS - 1));
        std::iter::once(share).chain(series.iter().map(cell)).collect()
    };
    let any = series.iter().any(|points| !points.is_empty());
    Card {
        title: labels.title,
        note: "Arrivals end before the simulation does: the last tickets wait for company that never comes.",
        rows: (0..TABLE_ROWS).map(row).collect(),
        plot: if any { Ok(lines(labels, &series, y)) } else { Err("no ticket came") },
        legend: &names(sides),
        head: head("of the time", sides),
    }
    .html()
}

/// Waits and timeouts by party size, home and decile of skill.
pub(super) fn segments(sides: &[Side<'_>]) -> String {
    [
        (SegmentKind::Party, "Wait by party size"),
        (SegmentKind::Home, "Wait by home"),
        (SegmentKind::Decile, "Wait by tenth of the tickets, by skill"),
    ]
    .into_iter()
    .map(|(kind, title)| by_segment(sides, kind, title))
    .collect()
}

fn by_segment(sides: &[Side<'_>], kind: SegmentKind, title: &str) -> String {
    let mut values: Vec<&str> = Vec::new();
    for segment in sides.iter().flat_map(|side| &side.report.segments) {
        if segment.kind == kind && !values.contains(&segment.value.as_str()) {
            values.push(&segment.value);
        }
    }
    let (mut plotted, mut rows) = (Vec::new(), Vec::new());
    for value in values {
        let of = |side: &Side<'_>| {
            let mut segments = side.report.segments.iter();
            segments.find(|segment| segment.kind == kind && segment.value == value).cloned()
        };
        let found: Vec<_> = sides.iter().map(of).collect();
        let label = found.iter().flatten().next().map_or(value, |segment| &segment.label).to_owned();
        for (segment, side) in found.iter().zip(sides) {
            let Some(segment) = segment else { continue };
            let share = |count: u64| format!("{:.1}%", count as f64 / segment.tickets.max(1) as f64 * 100.0);
            let mut row = vec![label.clone()];
            row.extend((sides.len() > 1).then(|| side.name.to_owned()));
            row.extend([segment.tickets.to_string(), share(segment.matched), share(segment.timed_out)]);
            row.extend(quantile_cells(&segment.wait, " s"));
            rows.push(row);
        }
        let waits = found.into_iter().map(|segment| segment.map_or(Quantiles::default(), |found| found.wait));
        plotted.push(Ranges { label, values: waits.collect() });
    }
    let id = format!("segment-{}", kind.name());
    let labels = Labels {
        id: &id,
        title,
        description: "Quantiles of the wait in seconds of matched tickets, in each segment.",
        x: "wait in seconds",
        y: "",
    };
    let any = plotted.iter().any(|row| row.values.iter().any(|values| values.count > 0));
    let mut head = vec!["segment"];
    head.extend((sides.len() > 1).then_some("rule set"));
    head.extend(["tickets", "matched", "timeouts", "p50", "p90", "p99"]);
    Card {
        title,
        note: BOXES,
        plot: if any { Ok(ranges(labels, &plotted)) } else { Err("no such ticket was matched") },
        legend: &names(sides),
        head: head.into_iter().map(str::to_owned).collect(),
        rows,
    }
    .html()
}

fn quantile_cells(values: &Quantiles, unit: &str) -> [String; 3] {
    [values.p50, values.p90, values.p99].map(|value| match values.count {
        0 => "no data".to_owned(),
        _ => format!("{value:.1}{unit}"),
    })
}

/// Fill, and expansion steps.
pub(super) fn matches(sides: &[Side<'_>]) -> String {
    fill(sides) + &steps(sides)
}

fn fill(sides: &[Side<'_>]) -> String {
    let labels = Labels {
        id: "fill",
        title: "How full the matches are",
        description: "The share of matches that have up to 10 percent of their seats taken, up to 20 percent, and so on.",
        x: "seats taken, up to %",
        y: "% of the matches",
    };
    let share = |side: &Side<'_>| -> Vec<f64> {
        let all = side.report.matches.max(1) as f64;
        side.report.fill_bins.iter().map(|count| *count as f64 / all * 100.0).collect()
    };
    let series: Vec<Vec<f64>> = sides.iter().map(share).collect();
    let bins: Vec<String> = (1..=FILL_BINS).map(|bin| (bin * 100 / FILL_BINS).to_string()).collect();
    let row = |(at, bin): (usize, &String)| {
        let cell = |values: &Vec<f64>| format!("{:.1}%", values.get(at).copied().unwrap_or(0.0));
        std::iter::once(format!("up to {bin}%")).chain(series.iter().map(cell)).collect()
    };
    let y = Axis::over(series.iter().flatten().copied(), false);
    let any = sides.iter().any(|side| side.report.matches > 0);
    Card {
        title: labels.title,
        note: "Of the seats that the rule set gives a match at the age it had.",
        rows: bins.iter().enumerate().map(row).collect(),
        plot: if any { Ok(columns(labels, &bins, &series, y)) } else { Err("no match was made") },
        legend: &names(sides),
        head: head("seats taken", sides),
    }
    .html()
}

fn steps(sides: &[Side<'_>]) -> String {
    let labels = Labels {
        id: "steps",
        title: "Expansion step at the match",
        description: "The share of matches that were made under each expansion step.",
        x: "% of the matches",
        y: "",
    };
    let mut seconds: Vec<u64> =
        sides.iter().flat_map(|side| &side.report.steps).map(|step| step.step_seconds).collect();
    seconds.sort_unstable();
    seconds.dedup();
    let rows: Vec<Bars> = seconds
        .into_iter()
        .map(|at| {
            let value = |side: &Side<'_>| {
                let step = side.report.steps.iter().find(|step| step.step_seconds == at);
                step.map_or((0.0, "no such step".to_owned()), |step| {
                    (step.share * 100.0, format!("{} ({:.1}%)", step.matches, step.share * 100.0))
                })
            };
            let label = if at == 0 { "as written".to_owned() } else { format!("after {at} s") };
            Bars { label, values: sides.iter().map(value).collect() }
        })
        .collect();
    let any = sides.iter().any(|side| side.report.matches > 0);
    bar_card(
        labels,
        "Of the ticket whose age counts.",
        sides,
        &rows,
        "step",
        any.then_some(()).ok_or("no match was made"),
    )
}

/// A plot with bars, and their texts as a table.
fn bar_card(
    labels: Labels<'_>,
    note: &str,
    sides: &[Side<'_>],
    rows: &[Bars],
    first: &str,
    any: Result<(), &str>,
) -> String {
    let x = Axis::over(rows.iter().flat_map(|row| &row.values).map(|(value, _)| *value), false);
    let table_row = |row: &Bars| {
        std::iter::once(row.label.clone()).chain(row.values.iter().map(|(_, text)| text.clone())).collect()
    };
    Card {
        title: labels.title,
        note,
        plot: any.map(|()| bars(labels, rows, x)),
        legend: &names(sides),
        head: head(first, sides),
        rows: rows.iter().map(table_row).collect(),
    }
    .html()
}

/// A plot for each rule: they measure different things.
pub(super) fn rules(sides: &[Side<'_>]) -> String {
    let mut known: Vec<(&str, &str)> = Vec::new();
    for rule in sides.iter().flat_map(|side| &side.report.rules) {
        if known.iter().all(|(name, _)| *name != rule.rule) {
            known.push((&rule.rule, &rule.measures));
        }
    }
    if known.is_empty() {
        return "<p class=\"empty\">No data: there are no rules that measure anything.</p>\n".to_owned();
    }
    known.iter().enumerate().map(|(index, (name, measures))| one_rule(sides, index, name, measures)).collect()
}

fn one_rule(sides: &[Side<'_>], index: usize, name: &str, measures: &str) -> String {
    let values: Vec<Quantiles> = sides
        .iter()
        .map(|side| side.report.rules.iter().find(|rule| rule.rule == name))
        .map(|rule| rule.map_or(Quantiles::default(), |rule| rule.spread))
        .collect();
    let rows = sides.iter().zip(&values).map(|(side, values)| {
        let cells = [values.count.to_string()].into_iter().chain(quantile_cells(values, ""));
        std::iter::once(side.name.to_owned()).chain(cells).collect()
    });
    let id = format!("rule-{index}");
    let labels = Labels {
        id: &id,
        title: name,
        description: "Quantiles of what the rule measured in the matches.",
        x: measures,
        y: "",
    };
    let any = values.iter().any(|values| values.count > 0);
    let head = ["rule set", "matches", "p50", "p90", "p99"];
    Card {
        title: name,
        note: BOXES,
        rows: rows.collect(),
        plot: if any {
            Ok(ranges(labels, &[Ranges { label: String::new(), values }]))
        } else {
            Err("no match was measured")
        },
        legend: &names(sides),
        head: head.map(str::to_owned).to_vec(),
    }
    .html()
}

/// Why tickets timed out.
pub(super) fn timeouts(sides: &[Side<'_>]) -> String {
    let mut causes: Vec<&crate::simulate::TimeoutCause> = Vec::new();
    for share in sides.iter().flat_map(|side| &side.report.timeouts.causes) {
        if !causes.contains(&&share.cause) {
            causes.push(&share.cause);
        }
    }
    let rows: Vec<Bars> = causes
        .into_iter()
        .map(|cause| {
            let value = |side: &Side<'_>| {
                let mut shares = side.report.timeouts.causes.iter();
                let tickets = shares.find(|share| share.cause == *cause).map_or(0.0, |share| share.tickets);
                let share = tickets / side.report.tickets.max(1) as f64 * 100.0;
                (share, format!("{tickets:.0} ({share:.1}%)"))
            };
            Bars { label: cause.to_string(), values: sides.iter().map(value).collect() }
        })
        .collect();
    let mut note =
        "What kept the ticket from a match at its timeout: the rule that its nearest match failed, or that \
                    kept most others apart."
            .to_owned();
    for side in sides {
        let timeouts = &side.report.timeouts;
        if timeouts.explained < timeouts.tickets {
            let (explained, tickets) = (timeouts.explained, timeouts.tickets);
            note += &format!(" {}: estimated from {explained} of {tickets} timeouts.", side.name);
        }
    }
    let labels = Labels {
        id: "timeouts",
        title: "Timeouts by cause",
        description: "The share of all tickets that timed out because of each cause.",
        x: "% of all tickets",
        y: "",
    };
    let any = if rows.is_empty() { Err("no ticket timed out") } else { Ok(()) };
    bar_card(labels, &note, sides, &rows, "cause", any)
}
