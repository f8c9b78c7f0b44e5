//! What a frame looks like. Pure: everything is an argument.

use game_proto::{Snapshot, Welcome};

use crate::stats::Stats;

/// Smallest arena that is worth drawing, in characters.
const COLUMNS_MIN: usize = 20;
const ROWS_MIN: usize = 6;

/// Lines besides the arena: two of text, two of frame.
const ROWS_AROUND: usize = 4;

/// ANSI colours that are readable on dark and on light ground.
const COLOURS: [u8; 6] = [31, 32, 33, 34, 35, 36];

/// What to draw, and how much room there is for it.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// Where everybody is.
    pub snapshot: &'a Snapshot,
    /// The arena, and who "I" am.
    pub welcome: &'a Welcome,
    /// What was measured.
    pub stats: &'a Stats,
    /// The terminal's size, in characters.
    pub columns: usize,
    /// See `columns`.
    pub rows: usize,
    /// Whether players have colours.
    pub colours: bool,
}

/// The lines of a frame: never more, and none longer, than the terminal takes. A terminal that is too small gets the numbers
/// alone.
#[must_use]
pub fn frame(scene: &Scene<'_>) -> Vec<String> {
    let Scene { snapshot, welcome, stats, columns, rows, .. } = *scene;
    let millis = |quantile| stats.round_trip_micros.value_at_quantile(quantile) as f64 / 1000.0;
    let status = format!(
        "player {}  of {}   tick {}   lost {:.1} %   input to snapshot p50 {:.1} ms, p99 {:.1} ms",
        welcome.player_number,
        snapshot.player_number.len(),
        snapshot.tick,
        100.0 * stats.loss(),
        millis(0.5),
        millis(0.99),
    );
    let mut lines = vec![cut(&status, columns)];
    if columns >= COLUMNS_MIN && rows >= ROWS_MIN + ROWS_AROUND {
        lines.extend(arena(scene, columns - 2, rows - ROWS_AROUND));
        lines.push(cut("@ is you   digits are the others' numbers, last digit   Ctrl-C leaves", columns));
    }
    lines.truncate(rows);
    lines
}

fn cut(text: &str, columns: usize) -> String {
    text.chars().take(columns).collect()
}

fn arena(scene: &Scene<'_>, width: usize, height: usize) -> Vec<String> {
    let Scene { snapshot, welcome, .. } = *scene;
    let mut cells = vec![vec![None; width]; height];
    let players = snapshot.player_number.iter().zip(&snapshot.x).zip(&snapshot.y);
    // The player's own mark last: it lies above the others.
    let (own, others): (Vec<_>, Vec<_>) =
        players.partition(|((number, _), _)| **number == welcome.player_number);
    for ((number, x), y) in others.into_iter().chain(own) {
        let column = cell(*x, welcome.arena_width, width);
        let row = cell(*y, welcome.arena_height, height);
        cells[row][column] = Some(*number);
    }
    let edge = |left, right| format!("{left}{}{right}", "─".repeat(width));
    let mut lines = vec![edge('┌', '┐')];
    for row in &cells {
        let inside: String =
            row.iter().map(|it| it.map_or_else(|| " ".to_owned(), |it| mark(scene, it))).collect();
        lines.push(format!("│{inside}│"));
    }
    lines.push(edge('└', '┘'));
    lines
}

/// Which cell of `cells` a coordinate of 0 to `size` is in.
fn cell(at: u32, size: u32, cells: usize) -> usize {
    let index = u64::from(at) * cells as u64 / (u64::from(size) + 1);
    usize::try_from(index).map_or(0, |index| index.min(cells - 1))
}

fn mark(scene: &Scene<'_>, number: u32) -> String {
    let own = number == scene.welcome.player_number;
    let sign = if own { "@".to_owned() } else { (number % 10).to_string() };
    match (scene.colours, own) {
        (false, _) => sign,
        (true, true) => format!("\x1b[1;7m{sign}\x1b[0m"),
        (true, false) => format!("\x1b[{}m{sign}\x1b[0m", COLOURS[number as usize % COLOURS.len()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn welcome() -> Welcome {
        Welcome { player_number: 2, arena_width: 16_000, arena_height: 9_000, ..Welcome::default() }
    }

    fn lines(columns: usize, rows: usize, colours: bool) -> Vec<String> {
        let snapshot = Snapshot {
            tick: 7,
            last_input: 0,
            player_number: vec![1, 2, 13, 4],
            x: vec![0, 8_000, 16_000, 8_000],
            y: vec![0, 4_500, 9_000, 4_500],
        };
        let (welcome, stats) = (welcome(), Stats::new());
        frame(&Scene { snapshot: &snapshot, welcome: &welcome, stats: &stats, columns, rows, colours })
    }

    #[test]
    fn everybody_is_where_the_snapshot_says_and_oneself_is_on_top() {
        let lines = lines(23, 11, false);
        assert!(lines[0].starts_with("player 2  of 4   tick 7"));
        let expected = [
            "┌─────────────────────┐",
            "│1                    │",
            "│                     │",
            "│                     │",
            "│          @          │",
            "│                     │",
            "│                     │",
            "│                    3│",
            "└─────────────────────┘",
        ];
        assert_eq!(lines[1..=9], expected);
        assert_eq!(lines.len(), 11);
    }

    #[test]
    fn no_line_is_longer_than_the_terminal_nor_are_there_more() {
        for columns in 0..100 {
            for rows in 0..30 {
                let lines = lines(columns, rows, false);
                assert!(lines.len() <= rows, "{columns} x {rows}");
                assert!(
                    lines.iter().all(|it| it.chars().count() <= columns),
                    "{columns} x {rows}: {lines:?}"
                );
            }
        }
    }

    #[test]
    fn colours_are_always_ended() {
        let lines = lines(80, 24, true).concat();
        assert_eq!(lines.matches("\x1b[0m").count() * 2, lines.matches('\x1b').count());
    }
}
