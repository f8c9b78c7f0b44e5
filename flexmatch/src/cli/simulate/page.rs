//! The file that a page goes to.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::cli::CliError;

/// A file opened before the run, so that a wrong path costs no time. What it holds stays until there is a page.
pub(super) struct PageFile {
    path: PathBuf,
    file: File,
}

impl PageFile {
    pub(super) fn open(path: &Path) -> Result<Self, CliError> {
        match File::options().write(true).create(true).truncate(false).open(path) {
            Ok(file) => Ok(Self { path: path.to_owned(), file }),
            Err(source) => Err(CliError::WriteFile { path: path.to_owned(), source }),
        }
    }

    pub(super) fn write(mut self, page: &str) -> Result<(), CliError> {
        self.replace(page).map_err(|source| CliError::WriteFile { path: self.path, source })
    }

    fn replace(&mut self, page: &str) -> io::Result<()> {
        // A pipe or a terminal has no length to set.
        if self.file.metadata()?.is_file() {
            self.file.set_len(0)?;
        }
        self.file.write_all(page.as_bytes())
    }
}
