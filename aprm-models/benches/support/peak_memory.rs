//! How much memory a bench takes.

/// The most memory that the process has had, in bytes, where the system says so.
pub(crate) fn peak_memory() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(kibibytes.trim().trim_end_matches(" kB").parse::<usize>().ok()? << 10)
}
