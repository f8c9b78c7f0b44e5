//! Who comes to a simulation, as the arguments say.

use std::path::Path;
use std::sync::Arc;

use flexmatch::simulate::{Players, Population, Recording, Simulation};
use flexmatch::{Compat, RuleSet};

use super::Arguments;
use crate::cli::{CliError, read, read_up_to};

/// Longest recording read, in bytes: some 700,000 events.
const RECORDING_MAX: u64 = 512 << 20;

/// A population, or the players of a recording.
pub(super) struct Crowd {
    pub(super) population: Population,
    recording: Option<(Arc<Recording>, Players)>,
}

impl Crowd {
    pub(super) fn read(arguments: &Arguments) -> Result<Self, CliError> {
        let mut population = match &arguments.population {
            Some(path) => serde_json::from_str(&read(path)?)
                .map_err(|error| input(path, format!("is not a population: {error}")))?,
            None => Population::default(),
        };
        population.seed = arguments.seed.unwrap_or(population.seed);
        population.arrivals_per_second = arguments.arrivals.unwrap_or(population.arrivals_per_second);
        population.duration_seconds = arguments.duration.unwrap_or(population.duration_seconds);
        let Some(path) = &arguments.replay else { return Ok(Self { population, recording: None }) };
        let configuration = arguments.configuration.as_deref();
        let recording = Recording::parse(&read_up_to(path, RECORDING_MAX)?, configuration)
            .map_err(|error| input(path, error.to_string()))?;
        let players = match &arguments.players {
            Some(path) => Players::parse(&read_up_to(path, RECORDING_MAX)?)
                .map_err(|error| input(path, error.to_string()))?,
            None => Players::default(),
        };
        Ok(Self { population, recording: Some((Arc::new(recording), players)) })
    }

    /// A simulation of these people, as far as `population` describes them, at its beginning.
    pub(super) fn begin(
        &self,
        path: &Path,
        rules: &Arc<RuleSet>,
        population: &Population,
        compat: &Compat,
    ) -> Result<Simulation, CliError> {
        let rules = rules.clone();
        match &self.recording {
            None => Simulation::new(rules, population, compat),
            Some((recording, players)) => {
                Simulation::of_recording(rules, population, recording, players, compat)
            }
        }
        .map_err(|error| input(path, error.to_string()))
    }
}

fn input(path: &Path, message: String) -> CliError {
    CliError::Input { path: path.to_owned(), message }
}
