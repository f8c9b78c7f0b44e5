//! Populations in virtual time: what a rule set does to thousands of players, before any of them exists.

mod population;
mod report;
mod run;

pub use population::{Distribution, Home, Population, PopulationError, TICKETS_MAX};
pub use report::{AssertError, Assertion, Report, RuleReport, Segment, StepShare, Waits, figure};
pub use run::{Simulation, simulate};
