//! Populations and recordings in virtual time: what a rule set does to thousands of players, before any of them exists.
//!
//! [`Simulation`] is the loop; [`Report`] is what it found, as a table, as JSON and, through [`html()`], as a page.

mod arrivals;
mod assertion;
mod cause;
mod html;
mod measured;
mod population;
mod quantiles;
mod record;
mod replay;
mod report;
mod run;
mod table;

pub use assertion::{AssertError, Assertion, Checked, UnknownFigure};
pub use cause::{EXPLAINED_MAX, TimeoutCause};
pub use html::{Page, Side, html};
pub use population::{DURATION_SECONDS_MAX, Distribution, Home, Population, PopulationError, TICKETS_MAX};
pub use quantiles::Quantiles;
pub use record::{Players, Recording, RecordingError};
pub use replay::Replay;
pub use report::{
    CauseShare, Figure, Input, Moment, Report, RuleReport, Segment, SegmentKind, StepShare, Timeouts, Unit,
};
pub use run::{Simulation, replay, simulate};
