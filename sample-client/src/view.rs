//! The arena in a terminal: `--view`.
//!
//! What a frame looks like is a value ([`frame()`]); [`View`] owns the terminal and gives it back, however the program ends.

mod frame;

use std::io::{self, IsTerminal, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::terminal::{
    self, BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen,
};
use crossterm::{execute, queue};
use tokio::time::Instant;

pub use frame::{Scene, frame};

use crate::player::{Player, PlayerEvent};

/// Frames per second: smooth enough to follow, and one page of text each, which slow terminals and ssh can take.
pub const FRAMES_PER_SECOND: u32 = 20;

/// Whether the terminal is ours at the moment.
static SHOWN: AtomicBool = AtomicBool::new(false);
static PANIC_HOOK: Once = Once::new();

/// The terminal, while the arena is shown in it. Dropping it gives the terminal back.
#[derive(Debug)]
pub struct View {
    next: Instant,
    colours: bool,
}

impl View {
    /// Takes the terminal, or says why not: then play without.
    ///
    /// # Errors
    /// Standard output is no terminal, or one that cannot show it.
    pub fn open() -> Result<Self, String> {
        if !io::stdout().is_terminal() {
            return Err("standard output is no terminal".to_owned());
        }
        if std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
            return Err("TERM is dumb".to_owned());
        }
        PANIC_HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                restore(); // First, or its message is lost with the second screen.
                before(panic);
            }));
        });
        SHOWN.store(true, Ordering::SeqCst);
        if let Err(error) = execute!(io::stdout(), EnterAlternateScreen, Hide) {
            restore();
            return Err(error.to_string());
        }
        // https://no-color.org: set and not empty.
        let colours = std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty());
        Ok(Self { next: Instant::now(), colours })
    }

    /// Shows what the server said, if it is time for a frame. A terminal that does not take it is not asked again soon.
    pub fn show(&mut self, player: &Player, event: &PlayerEvent) {
        let PlayerEvent::Snapshot(snapshot) = event else { return };
        let now = Instant::now();
        if now < self.next {
            return;
        }
        self.next = now + Duration::from_secs(1) / FRAMES_PER_SECOND;
        let Ok((columns, rows)) = terminal::size() else { return };
        let scene = Scene {
            snapshot,
            welcome: player.welcome(),
            stats: player.stats(),
            columns: columns.into(),
            rows: rows.into(),
            colours: self.colours,
        };
        if let Err(error) = draw(&frame(&scene)) {
            tracing::debug!(%error, "a frame was not shown");
            self.next = now + Duration::from_secs(1);
        }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        restore();
    }
}

/// One write per frame, so that nobody sees half of one.
fn draw(lines: &[String]) -> io::Result<()> {
    let mut page = Vec::new();
    queue!(page, BeginSynchronizedUpdate)?;
    for (row, line) in (0_u16..).zip(lines) {
        queue!(page, MoveTo(0, row))?;
        page.extend_from_slice(line.as_bytes());
        queue!(page, Clear(ClearType::UntilNewLine))?;
    }
    queue!(page, Clear(ClearType::FromCursorDown), EndSynchronizedUpdate)?;
    let mut terminal = io::stdout().lock();
    terminal.write_all(&page)?;
    terminal.flush()
}

/// Gives the terminal back, if it was taken. For whoever ends the program without dropping the [`View`].
pub fn restore() {
    if SHOWN.swap(false, Ordering::SeqCst) {
        let _ = execute!(io::stdout(), Show, LeaveAlternateScreen); // The terminal is gone.
    }
}
