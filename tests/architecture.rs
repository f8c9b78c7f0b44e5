//! The house as drawn in ARCHITECTURE.md: which crate may know which, and which modules are pure.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// Every arrow between our crates. `backend` and `sample-client` will never point at `gamelift-local`: they know public
/// protocols only, and must work against AWS unchanged.
const ARROWS: &[(&str, &[&str])] = &[
    ("backend", &["game-proto"]),
    ("flexmatch", &[]),
    ("game-proto", &[]),
    ("gamelift-local", &["flexmatch", "gamelift-wire"]),
    ("gamelift-rs", &["backend", "gamelift-local", "gamelift-server-sdk", "sample-client", "sample-server"]),
    ("gamelift-server-sdk", &["gamelift-wire"]),
    ("gamelift-wire", &[]),
    ("sample-client", &["game-proto"]),
    ("sample-server", &["game-proto", "gamelift-server-sdk"]),
];

/// What only development may add: tests of the whole may see everything, and a crate its own features.
const DEVELOPMENT_ARROWS: &[(&str, &[&str])] = &[
    ("backend", &["backend"]),
    ("gamelift-rs", &["gamelift-server-sdk", "gamelift-wire"]),
    ("gamelift-server-sdk", &["gamelift-server-sdk"]),
    ("sample-server", &["gamelift-server-sdk"]),
];

/// Crates that stay where they are: the AWS SDK is a minute of compiling, and servers have no business in a library.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("aws-sdk-dynamodb", &["backend"]),
    ("aws-sdk-gamelift", &["backend", "gamelift-rs"]),
    // Players sign; game servers and the emulator do not (the SDK's signature is another one).
    ("aws-sigv4", &["sample-client"]),
    ("axum", &["backend", "gamelift-local"]),
    // In flexmatch behind a feature, for its binary.
    ("clap", &["backend", "flexmatch", "gamelift-local", "gamelift-rs", "sample-client", "sample-server"]),
    ("quinn", &["sample-client", "sample-server"]),
    (
        "tokio",
        &[
            "backend",
            "gamelift-local",
            "gamelift-rs",
            "gamelift-server-sdk",
            "sample-client",
            "sample-server",
        ],
    ),
];

/// The modules that are values: no clock, no socket, no task, no lock. Each denies the lints that clippy.toml fills.
const PURE: &[&str] = &[
    "backend/src/event.rs",
    "backend/src/gateway/address.rs",
    "backend/src/gateway/identity.rs",
    "backend/src/gateway/sigv4.rs",
    "backend/src/lambda/caller.rs",
    "backend/src/lambda/config.rs",
    "backend/src/message.rs",
    "backend/src/service/view.rs",
    "backend/src/sns/certificate.rs",
    "backend/src/sns/envelope.rs",
    "backend/src/sns/signature.rs",
    "backend/src/sns/verify.rs",
    "backend/src/store/rate.rs",
    "flexmatch/src/lib.rs",
    "gamelift-local/src/beacon/echo.rs",
    "gamelift-local/src/beacon/rate.rs",
    "gamelift-local/src/cli/dev/restarts.rs",
    "gamelift-local/src/doctor.rs",
    "gamelift-local/src/engine.rs",
    "gamelift-local/src/events/dead_letters.rs",
    "gamelift-local/src/events/faults.rs",
    "gamelift-local/src/events/line.rs",
    "gamelift-local/src/events/retry.rs",
    "gamelift-local/src/model.rs",
    "gamelift-local/src/observer.rs",
    "gamelift-local/src/sdk_faults.rs",
    "gamelift-server-sdk/src/endpoint.rs",
    "gamelift-server-sdk/src/rules.rs",
    "gamelift-server-sdk/src/sigv4.rs",
    "gamelift-server-sdk/src/uplink.rs",
    "gamelift-wire/src/lib.rs",
    "proto/src/frame.rs",
    "sample-client/src/backend/follow.rs",
    "sample-client/src/backend/poll.rs",
    "sample-client/src/backend/population.rs",
    "sample-client/src/backend/signature.rs",
    "sample-server/src/address_limits.rs",
    "sample-server/src/gate.rs",
    "sample-server/src/room.rs",
];

const PURITY: &str = "#![deny(clippy::disallowed_methods, clippy::disallowed_types)]";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn metadata() -> Metadata {
    // Dependencies are not needed, so this works without a network.
    MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap()
}

type Arrows = BTreeMap<String, BTreeSet<String>>;

fn drawn(arrows: &[(&str, &[&str])]) -> Arrows {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    arrows.iter().map(|(from, to)| ((*from).to_owned(), set(to))).collect()
}

/// Arrows of one kind from our crates to those that `counts` says.
fn found(kind: DependencyKind, counts: impl Fn(&str) -> bool) -> Arrows {
    let mut arrows = Arrows::new();
    for package in metadata().packages {
        let arrow = arrows.entry(package.name.to_string()).or_default();
        let dependencies = package.dependencies.into_iter().filter(|dependency| dependency.kind == kind);
        arrow.extend(dependencies.map(|dependency| dependency.name).filter(|name| counts(name)));
    }
    arrows
}

fn ours(name: &str) -> bool {
    ARROWS.iter().any(|(from, _)| *from == name)
}

#[test]
fn the_arrows_between_crates_are_exactly_those_drawn() {
    assert_eq!(found(DependencyKind::Normal, ours), drawn(ARROWS));
    assert_eq!(found(DependencyKind::Build, ours).values().flatten().count(), 0);
}

#[test]
fn tests_see_nothing_beyond_what_is_drawn_for_them() {
    let mut development = found(DependencyKind::Development, ours);
    development.retain(|_, to| !to.is_empty());
    assert_eq!(development, drawn(DEVELOPMENT_ARROWS));
}

#[test]
fn heavy_crates_stay_where_they_belong() {
    let arrows = found(DependencyKind::Normal, |_| true);
    for (name, homes) in ONLY_IN {
        let users: Vec<&str> =
            arrows.iter().filter(|(_, to)| to.contains(*name)).map(|(from, _)| from.as_str()).collect();
        assert_eq!(users, *homes, "{name}");
    }
}

#[test]
fn every_pure_module_denies_what_would_make_it_impure() {
    for file in PURE {
        let text =
            std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(text.contains(PURITY), "{file} does not say {PURITY}");
    }
}

#[test]
fn a_module_that_says_it_is_pure_is_on_the_list() {
    let mut unlisted = Vec::new();
    for file in sources() {
        let name = file.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        let says = std::fs::read_to_string(&file).unwrap().contains(PURITY);
        if says && !PURE.contains(&name.as_str()) && name != "tests/architecture.rs" {
            unlisted.push(name);
        }
    }
    assert_eq!(unlisted, Vec::<String>::new());
}

#[test]
fn no_module_is_called_common_or_utils_or_mod() {
    let odd: Vec<PathBuf> = sources()
        .into_iter()
        .filter(|file| {
            let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            ["common", "util", "utils", "helpers", "misc", "mod"].contains(&stem.as_str())
        })
        .collect();
    assert_eq!(odd, Vec::<PathBuf>::new());
}

/// The modules that a file declares, wherever a line says `mod name;`, each with its `#[path]` if the line before has one.
fn modules_in(text: &str) -> Vec<(&str, Option<&str>)> {
    let mut declared = Vec::new();
    let mut path = None;
    for line in text.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("#[path = \"") {
            path = rest.strip_suffix("\"]");
            continue;
        }
        let visibility = line.find("mod ").map_or("", |at| &line[..at]).trim();
        let name = line[visibility.len()..].trim_start().strip_prefix("mod ");
        if let Some(name) = name.and_then(|name| name.strip_suffix(';'))
            && (visibility.is_empty() || visibility.starts_with("pub"))
        {
            declared.push((name, path));
        }
        if !line.starts_with("#[") {
            path = None;
        }
    }
    declared
}

#[test]
fn every_source_file_is_reached_by_a_mod() {
    let mut reached: BTreeSet<PathBuf> = BTreeSet::new();
    for package in metadata().packages {
        let targets = package.targets.iter().map(|target| target.src_path.as_std_path().to_owned());
        // The modules of a target's own file, and of one with a `#[path]`, are beside it; those of `foo.rs` are in `foo/`.
        let mut open: Vec<(PathBuf, bool)> = targets.map(|file| (file, true)).collect();
        while let Some((file, beside)) = open.pop() {
            let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file:?}: {error}"));
            let parent = file.parent().unwrap();
            let folder = if beside { parent.to_owned() } else { file.with_extension("") };
            open.extend(modules_in(&text).into_iter().map(|(name, path)| match path {
                Some(path) => (parent.join(path).canonicalize().unwrap(), true),
                None => (folder.join(format!("{name}.rs")), false),
            }));
            let included =
                text.lines().filter_map(|line| line.trim().strip_prefix("include!(\"")?.strip_suffix("\");"));
            reached.extend(included.map(|path| parent.join(path)));
            reached.insert(file);
        }
    }
    let dead: Vec<PathBuf> = sources().into_iter().filter(|file| !reached.contains(file)).collect();
    assert_eq!(dead, Vec::<PathBuf>::new(), "no `mod` leads there: compiled by nobody");
}

/// Every Rust file of the workspace that is ours.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = metadata()
        .packages
        .iter()
        .flat_map(|package| {
            let folder = package.manifest_path.parent().unwrap().as_std_path().to_owned();
            ["src", "tests", "examples", "benches"].map(|part| folder.join(part))
        })
        .filter(|folder| folder.is_dir())
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with(".work") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 50, "the walk has lost its way: {} files", found.len());
    found
}
