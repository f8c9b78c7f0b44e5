//! Whether a debugger holds a server. Then nothing is late: people think longer than timeouts.

use std::{fs, path::Path};

/// Most processes that are looked at, so that a busy machine does not slow us down.
#[cfg(target_os = "linux")]
const LOOKED_AT_MAX: usize = 10_000;

/// Whether something in this process group is traced: `TracerPid` in `/proc/PID/status` (proc(5)). On other systems than
/// Linux nobody says.
#[cfg(target_os = "linux")]
pub(super) fn holds(group: u32) -> bool {
    let Ok(entries) = fs::read_dir("/proc") else { return false };
    entries
        .filter_map(Result::ok)
        .take(LOOKED_AT_MAX)
        .filter(|entry| entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()))
        .any(|entry| group_of(&entry.path()) == Some(group) && is_traced(&entry.path()))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn holds(_group: u32) -> bool {
    false
}

/// The fifth word of `stat`; the second, a name in brackets, may hold anything.
fn group_of(process: &Path) -> Option<u32> {
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(2)?.parse().ok()
}

fn is_traced(process: &Path) -> bool {
    // It may have ended meanwhile.
    let status = fs::read_to_string(process.join("status")).unwrap_or_default();
    let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
    tracer.is_some_and(|tracer| tracer.trim() != "0")
}
