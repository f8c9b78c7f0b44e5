//! The secret that identities and credentials hang on.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom as _, SystemRandom};

use super::{StartError, Table};
use crate::gateway::identity::ServerSecret;

/// Added to the table file's name.
const ENDING: &str = "secret";
/// Bytes of the secret.
const LEN: usize = 32;

/// Read from beside the table's file, or made and kept there, for its owner only: whoever reads it can be any player. A table
/// in memory has one that is forgotten with it, and a DynamoDB elsewhere one in the working folder.
pub(super) fn of(table: &Table) -> Result<ServerSecret, StartError> {
    let path = match table {
        Table::Memory => {
            return new().map(ServerSecret::new).map_err(|source| failed(Path::new("(memory)"), source));
        }
        Table::File(file) => beside(file),
        Table::DynamoDb(_) | Table::Aws(_) => beside(Path::new("backend")),
    };
    kept(&path).map(ServerSecret::new).map_err(|source| failed(&path, source))
}

fn failed(path: &Path, source: io::Error) -> StartError {
    StartError::Secret { path: path.display().to_string(), source }
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(ENDING);
    name.into()
}

fn new() -> io::Result<[u8; LEN]> {
    let mut bytes = [0; LEN];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| io::Error::other("the system has no randomness to give"))?;
    Ok(bytes)
}

fn kept(path: &Path) -> io::Result<[u8; LEN]> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(mut file) => {
            let bytes = new()?;
            file.write_all(hex::encode(bytes).as_bytes())?;
            file.sync_all()?;
            Ok(bytes)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read(path),
        Err(error) => Err(error),
    }
}

fn read(path: &Path) -> io::Result<[u8; LEN]> {
    let mut text = String::new();
    // Never more than there can be.
    std::fs::File::open(path)?.take(1024).read_to_string(&mut text)?;
    let bytes = hex::decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok());
    let wrong = "it must hold 64 hexadecimal digits; without the file a new secret is made, and players are strangers again";
    bytes.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, wrong))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_made_once_and_read_again_by_its_owner_only() {
        let path = std::env::temp_dir().join(format!("backend-{}.secret", uuid::Uuid::new_v4()));
        let first = kept(&path).unwrap();
        assert_eq!(kept(&path).unwrap(), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        std::fs::write(&path, "short").unwrap();
        let error = kept(&path).unwrap_err();
        assert!(error.to_string().contains("64 hexadecimal digits"), "{error}");
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn the_secret_is_beside_the_table() {
        assert_eq!(beside(Path::new("data/table.db")), Path::new("data/table.db.secret"));
    }
}
