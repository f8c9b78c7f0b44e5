//! What the local GameLift costs, beside the least that could do the same, in the same run.
//!
//! ```sh
//! cargo bench -p gamelift-local --bench service                      # all; one alone: ... -- api | hosting | start
//! taskset -c 0 cargo bench -p gamelift-local --bench service         # both ends on one core: what the CPU does, not the scheduler
//! ```
//!
//! Rounds alternate, so that a noisy neighbour hits both sides. Trust the ratios, and CPU more than time.

mod api;
mod client;
mod floor;
mod hosting;
mod rounds;
mod start;
mod subject;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    // `cargo test --benches` only wants to know that it builds.
    if arguments.iter().any(|argument| argument == "--test") {
        return;
    }
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == name);
    if wanted("api") {
        api::measure();
    }
    if wanted("hosting") {
        hosting::measure();
    }
    if wanted("start") {
        start::measure();
    }
}
