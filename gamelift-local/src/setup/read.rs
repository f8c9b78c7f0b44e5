//! From text to a setup.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Deserializer};

use super::{Setup, SetupError, error::Place};

/// Most bytes of a configuration file or rule set file that are read: far more than anybody writes by hand.
pub const FILE_MAX: u64 = 1024 * 1024;

impl Setup {
    /// Reads a configuration file: TOML if its name ends in `.toml`, JSON if it ends in `.json`.
    ///
    /// # Errors
    /// [`SetupError`] names the file, line and column, the member, the rule and the value.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, SetupError> {
        let path = path.as_ref();
        let format = match path.extension().and_then(|extension| extension.to_str()) {
            Some("toml") => parse_toml,
            Some("json") => parse_json,
            _ => return Err(SetupError::Extension { path: path.to_owned() }),
        };
        let mut setup = format(&read(path)?, Some(path))?;
        setup.file = Some(path.to_owned());
        let folder = path.parent().unwrap_or(Path::new(""));
        for rule_set in &mut setup.rule_sets {
            rule_set.path = rule_set.path.take().map(|path| folder.join(path));
        }
        Ok(setup)
    }

    /// Reads TOML.
    ///
    /// # Errors
    /// [`SetupError::Parse`] for text that is not TOML or not a setup.
    pub fn from_toml(text: &str) -> Result<Self, SetupError> {
        parse_toml(text, None)
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// [`SetupError::Parse`] for text that is not JSON or not a setup.
    pub fn from_json(text: &str) -> Result<Self, SetupError> {
        parse_json(text, None)
    }
}

/// Reads a whole file, if it is not too large.
pub(super) fn read(path: &Path) -> Result<String, SetupError> {
    let failed = |source| SetupError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    let file = File::open(path).map_err(failed)?;
    file.take(FILE_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > FILE_MAX {
        return Err(SetupError::TooLarge { path: path.to_owned() });
    }
    Ok(text)
}

fn parse_toml(text: &str, file: Option<&Path>) -> Result<Setup, SetupError> {
    // Without the lines around it, as the error itself would print them: there may be a token in them.
    let message = |error: &toml::de::Error| match error.span() {
        Some(span) => format!("{} {}", error.message(), line_and_column(text, span.start)),
        None => error.message().to_owned(),
    };
    let document = toml::Deserializer::parse(text).map_err(|error| wrong(file, ".", message(&error)))?;
    parse(document, file, message)
}

fn parse_json(text: &str, file: Option<&Path>) -> Result<Setup, SetupError> {
    let mut document = serde_json::Deserializer::from_str(text);
    let setup = parse(&mut document, file, ToString::to_string)?;
    document.end().map_err(|error| wrong(file, ".", error.to_string()))?;
    Ok(setup)
}

fn parse<'de, D: Deserializer<'de>>(
    document: D,
    file: Option<&Path>,
    message: impl FnOnce(&D::Error) -> String,
) -> Result<Setup, SetupError> {
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(document, &mut track);
    let parsed = Setup::deserialize(tracked);
    parsed.map_err(|error| wrong(file, &track.path().to_string(), message(&error)))
}

fn wrong(file: Option<&Path>, member: &str, message: String) -> SetupError {
    // What `serde_path_to_error` calls the whole document.
    let member = if member == "." { "" } else { member };
    let place = Place { file: file.map(PathBuf::from), member: member.to_owned() };
    SetupError::Parse { place, message }
}

/// Where a byte is, in the words of `serde_json`.
fn line_and_column(text: &str, byte: usize) -> String {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    format!("at line {} column {}", before.matches('\n').count() + 1, line.chars().count() + 1)
}
