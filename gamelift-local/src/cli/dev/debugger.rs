//! Whether a debugger holds a server. Then nothing is late: people think longer than timeouts.

/// Most processes that are looked at, so that a busy machine does not slow us down.
#[cfg(target_os = "linux")]
const LOOKED_AT_MAX: usize = 10_000;

/// Whether something in this process group is traced: `TracerPid` in `/proc/PID/status` (proc(5)). On other systems than
/// Linux nobody says.
#[cfg(target_os = "linux")]
pub(super) fn holds(group: u32) -> bool {
    use std::fs::{read_dir, read_to_string};
    let Ok(entries) = read_dir("/proc") else { return false };
    let is_process = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    let processes = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_str().is_some_and(is_process))
        .take(LOOKED_AT_MAX);
    // Whatever cannot be read has ended meanwhile.
    let read = |path: std::path::PathBuf| read_to_string(path).unwrap_or_default();
    processes.map(|entry| entry.path()).any(|process| {
        group_in(&read(process.join("stat"))) == Some(group) && is_traced(&read(process.join("status")))
    })
}

#[cfg(not(target_os = "linux"))]
pub(super) fn holds(_group: u32) -> bool {
    false
}

/// The fifth word of `stat`. The second, a name in brackets, may hold anything.
#[cfg(target_os = "linux")]
fn group_in(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(2)?.parse().ok()
}

#[cfg(target_os = "linux")]
fn is_traced(status: &str) -> bool {
    let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
    tracer.is_some_and(|tracer| tracer.trim() != "0")
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_found_behind_any_name() {
        assert_eq!(group_in("17 (a) b 9 9 9) S 1 42 42 0 -1"), Some(42));
        assert_eq!(group_in(""), None);
    }

    #[test]
    fn a_tracer_is_anybody_but_nobody() {
        assert!(is_traced("Name:\tserver\nTracerPid:\t5341\n"));
        assert!(!is_traced("Name:\tserver\nTracerPid:\t0\n"));
        assert!(!is_traced(""));
    }

    #[test]
    fn nobody_holds_a_group_that_is_not_there() {
        assert!(!holds(u32::MAX));
    }
}
