//! The checked-in code is what the `.proto` files say. No protoc: protox compiles them.
#![cfg(test)]

use std::{env, fs, path::Path};

const COMMAND: &str = "UPDATE_GENERATED=1 cargo test -p game-proto --test generated";

#[test]
fn generated_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = ["game/v1/join.proto", "game/v1/play.proto"];
    let descriptors = protox::compile(files.map(|file| root.join(file)), [root]).expect("the protos compile");
    let out = Path::new(env!("CARGO_TARGET_TMPDIR"));
    prost_build::Config::new()
        .out_dir(out)
        // They hold secrets of the player; src/lib.rs prints them without.
        .skip_debug(["game.v1.Hello", "game.v1.Welcome"])
        .compile_fds(descriptors)
        .expect("the code generates");

    compare(out, "game.v1.rs");
}

#[test]
fn generated_matchmaking_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = root.join("matchmaking/v1/matchmaking.proto");
    let descriptors = protox::compile([file], [root]).expect("the proto compiles");
    let out = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tonic_prost_build::configure()
        .build_transport(false)
        .out_dir(out)
        .skip_debug(["matchmaking.v1.Connection"]) // It holds a player session id; src/matchmaking.rs prints it without.
        .compile_fds(descriptors)
        .expect("the code generates");
    compare(out, "matchmaking.v1.rs");
}

fn compare(out: &Path, name: &str) {
    let fresh = fs::read_to_string(out.join(name)).expect("it was just written");
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/generated").join(name);
    if env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&kept, &fresh).expect("the source folder is writable");
    }
    let kept = fs::read_to_string(kept).unwrap_or_default();
    assert!(kept == fresh, "src/generated/{name} is out of date; run: {COMMAND}");
}
