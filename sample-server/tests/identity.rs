//! The certificate by which players recognise the server.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

use sample_server::Identity;
use sample_server::identity::{IdentityError, write_fleet_certificate};

/// A folder of the test's own, gone when the test is.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn servers_with_the_fleets_files_have_the_fingerprint_that_was_printed() {
    let folder = Folder::new("fleet");
    let printed = write_fleet_certificate(&folder.0, &["game.example".to_owned()]).unwrap();
    for _ in 0..2 {
        let identity = Identity::from_pem_files(&folder.path("cert.pem"), &folder.path("key.pem")).unwrap();
        assert_eq!(identity.fingerprint(), printed);
    }
}

#[cfg(unix)]
#[test]
fn key_can_be_read_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new("mode");
    write_fleet_certificate(&folder.0, &[]).unwrap();
    let mode = fs::metadata(folder.path("key.pem")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn fleet_certificate_is_never_replaced() {
    let folder = Folder::new("twice");
    write_fleet_certificate(&folder.0, &[]).unwrap();
    let before = fs::read(folder.path("cert.pem")).unwrap();
    assert!(matches!(write_fleet_certificate(&folder.0, &[]), Err(IdentityError::Write { .. })));
    assert_eq!(fs::read(folder.path("cert.pem")).unwrap(), before);
}

#[test]
fn missing_and_empty_files_are_named() {
    let folder = Folder::new("missing");
    let (cert, key) = (folder.path("cert.pem"), folder.path("key.pem"));
    let error = Identity::from_pem_files(&cert, &key).unwrap_err();
    assert!(error.to_string().contains("cert.pem"), "{error}");
    fs::write(&cert, "").unwrap();
    assert!(matches!(Identity::from_pem_files(&cert, &key), Err(IdentityError::NoCertificate(_))));
}

#[test]
fn identity_does_not_print_its_key() {
    let identity = Identity::generate(&[]).unwrap();
    let expected = format!("Identity {{ fingerprint: {:?}, .. }}", identity.fingerprint());
    assert_eq!(format!("{identity:?}"), expected);
}
