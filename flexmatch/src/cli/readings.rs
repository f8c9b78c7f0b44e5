//! `--compat` and `--sensitivity`: which readings a command works under, and which of them its result depends on.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use flexmatch::Compat;
use flexmatch::compat::Dependence;
use serde_json::{Value, json};

use super::{CliError, read};

#[derive(Debug, Args)]
pub(super) struct Profile {
    /// A profile of readings of what AWS leaves open, such as {"party": "collapsed"}; absent switches keep their
    /// defaults. The result says which profile it was made under.
    #[arg(long, value_name = "COMPAT.json")]
    compat: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Readings {
    #[command(flatten)]
    pub(super) profile: Profile,
    /// Compute again under every other reading, one at a time, and list those on which the result depends.
    #[arg(long)]
    pub(super) sensitivity: bool,
}

impl Profile {
    pub(super) fn read(&self) -> Result<Compat, CliError> {
        let Some(path) = &self.compat else { return Ok(Compat::default()) };
        serde_json::from_str(&read(path)?).map_err(|error| CliError::Input {
            path: path.clone(),
            message: format!("is not a profile of readings: {error}"),
        })
    }
}

impl Readings {
    /// A result as JSON: bare if no reading was asked about, as an object with the profile otherwise.
    pub(super) fn json(
        &self,
        name: &str,
        result: Value,
        compat: &Compat,
        depends_on: &[Dependence],
    ) -> Value {
        if self.profile.compat.is_none() && !self.sensitivity {
            return result;
        }
        let mut all = json!({ name: result, "compat": compat });
        if self.sensitivity {
            all["dependsOn"] = json!(depends_on);
        }
        all
    }

    /// The same for people, after the result.
    pub(super) fn print(
        &self,
        compat: &Compat,
        depends_on: &[Dependence],
        out: &mut dyn Write,
    ) -> Result<(), CliError> {
        for (switch, value) in compat.changes() {
            writeln!(out, "read with {switch}: {value}")?;
        }
        if !self.sensitivity {
            return Ok(());
        }
        if depends_on.is_empty() {
            writeln!(out, "this result depends on no reading of what AWS leaves open")?;
        }
        for Dependence { switch, value, differences, more } in depends_on {
            writeln!(out, "this result depends on {switch}; with {value}:")?;
            for difference in differences {
                writeln!(out, "  {difference}")?;
            }
            if *more > 0 {
                writeln!(out, "  and {more} more")?;
            }
        }
        Ok(())
    }
}
